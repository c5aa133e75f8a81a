#include "storage/objstore/xml.h"

#include <charconv>
#include <cstdint>

namespace tideline::objstore {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

void AppendUtf8(std::uint32_t code, std::string* out) {
  const auto put = [out](std::uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlElement> Run() {
    XmlElement root;
    TL_TRY(SkipMisc());
    TL_TRY(ParseElement(&root, 1));
    TL_TRY(SkipMisc());
    if (at_ != text_.size()) return Damaged("something follows the root element");
    return root;
  }

 private:
  Status Damaged(std::string_view what) const { return DataLoss("XML: {} at byte {}", what, at_); }
  bool StartsWith(std::string_view part) const { return text_.substr(at_).starts_with(part); }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  Status SkipPast(std::string_view end) {
    const std::size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) return Damaged("an unfinished declaration or comment");
    at_ = found + end.size();
    return OkStatus();
  }

  // Blanks, <?...?> and <!--...-->.
  Status SkipMisc() {
    for (;;) {
      SkipSpace();
      if (StartsWith("<?")) {
        TL_TRY(SkipPast("?>"));
      } else if (StartsWith("<!--")) {
        TL_TRY(SkipPast("-->"));
      } else {
        return OkStatus();
      }
    }
  }

  Result<std::string_view> TakeName() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && IsNameCharacter(text_[at_])) ++at_;
    if (at_ == begin) return Damaged("no name where one must be");
    std::string_view name = text_.substr(begin, at_ - begin);
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
  }

  // Up to and with '>'; true for an empty element "<a/>".
  Result<bool> SkipAttributes() {
    for (;;) {
      SkipSpace();
      if (StartsWith("/>")) {
        at_ += 2;
        return true;
      }
      if (StartsWith(">")) {
        ++at_;
        return false;
      }
      TL_TRY(TakeName());
      SkipSpace();
      if (!StartsWith("=")) return Damaged("an attribute without a value");
      ++at_;
      SkipSpace();
      if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) {
        return Damaged("an attribute without quotes");
      }
      const std::size_t end = text_.find(text_[at_], at_ + 1);
      if (end == std::string_view::npos) return Damaged("an attribute that does not end");
      at_ = end + 1;
    }
  }

  Status TakeEntity(std::string* out) {
    const std::size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 10) return Damaged("a broken entity");
    std::string_view entity = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (entity == "amp") return out->push_back('&'), OkStatus();
    if (entity == "lt") return out->push_back('<'), OkStatus();
    if (entity == "gt") return out->push_back('>'), OkStatus();
    if (entity == "quot") return out->push_back('"'), OkStatus();
    if (entity == "apos") return out->push_back('\''), OkStatus();
    if (!entity.starts_with('#')) return Damaged("an unknown entity");
    entity.remove_prefix(1);
    const bool hexadecimal = entity.starts_with('x') || entity.starts_with('X');
    if (hexadecimal) entity.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [stop, error] =
        std::from_chars(entity.data(), entity.data() + entity.size(), code, hexadecimal ? 16 : 10);
    if (error != std::errc() || stop != entity.data() + entity.size() || code == 0 ||
        code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      return Damaged("a broken character reference");
    }
    AppendUtf8(code, out);
    return OkStatus();
  }

  Status ParseElement(XmlElement* element, std::size_t depth) {
    if (depth > kXmlDepthMax) return Damaged("elements nested too deep");
    if (++element_count_ > kXmlElementsMax) return Damaged("too many elements");
    if (!StartsWith("<")) return Damaged("no element where one must be");
    ++at_;
    element->name = TL_TRY(TakeName());
    const bool empty = TL_TRY(SkipAttributes());
    if (empty) return OkStatus();
    for (;;) {
      if (at_ == text_.size()) return Damaged("an element that does not end");
      if (StartsWith("</")) {
        at_ += 2;
        const std::string_view name = TL_TRY(TakeName());
        SkipSpace();
        if (name != element->name || !StartsWith(">")) return Damaged("a wrong end tag");
        ++at_;
        return OkStatus();
      }
      if (StartsWith("<!--")) {
        TL_TRY(SkipPast("-->"));
      } else if (StartsWith("<?")) {
        TL_TRY(SkipPast("?>"));
      } else if (text_[at_] == '<') {
        TL_TRY(ParseElement(&element->children.emplace_back(), depth + 1));
      } else if (text_[at_] == '&') {
        TL_TRY(TakeEntity(&element->text));
      } else {
        element->text.push_back(text_[at_++]);
      }
    }
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t element_count_ = 0;
};

}  // namespace

const XmlElement* XmlElement::Find(std::string_view child) const {
  for (const XmlElement& each : children) {
    if (each.name == child) return &each;
  }
  return nullptr;
}

std::string_view XmlElement::TextOf(std::string_view child) const {
  const XmlElement* const found = Find(child);
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

Result<XmlElement> ParseXml(std::string_view text) {
  if (text.size() > kXmlBytesMax) {
    return DataLoss("XML: {} bytes are more than {}", text.size(), kXmlBytesMax);
  }
  return Parser(text).Run();
}

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&apos;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace tideline::objstore
