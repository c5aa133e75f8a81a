#include "functions/regexp/java_pattern.h"

#include <utility>
#include <vector>

namespace tideline::functions {
namespace {

// Java's POSIX classes, which are ASCII's, and PCRE2's names of them.
constexpr std::pair<std::string_view, std::string_view> kPosixClasses[] = {
    {"Lower", "lower"}, {"Upper", "upper"}, {"ASCII", "ascii"}, {"Alpha", "alpha"},
    {"Digit", "digit"}, {"Alnum", "alnum"}, {"Punct", "punct"}, {"Graph", "graph"},
    {"Print", "print"}, {"Blank", "blank"}, {"Cntrl", "cntrl"}, {"XDigit", "xdigit"},
    {"Space", "space"},
};

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  Result<std::string> Run() {
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\') {
        TL_TRY(Escape(false, &out));
      } else if (c == '[') {
        const std::string set = TL_TRY(Class(0));
        out += set;
      } else if (c == '(') {
        TL_TRY(CheckFlags());
        out.push_back(c);
        ++at_;
      } else {
        out.push_back(c);
        ++at_;
      }
    }
    return out;
  }

 private:
  // (?imsx-imsx) and (?imsx-imsx: only.
  Status CheckFlags() const {
    if (text_.substr(at_, 2) != "(?") return OkStatus();
    for (std::size_t i = at_ + 2; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == 'd' || c == 'u' || c == 'U') {
        return InvalidArgument("Invalid regular expression '{}' at {}: the flag '{}' is not supported",
                               text_, i, c);
      }
      if (c != 'i' && c != 'm' && c != 's' && c != 'x' && c != '-') break;
    }
    return OkStatus();
  }

  // One escape, which begins at at_. Quoted text (\Q to \E) is copied as it is.
  Status Escape(bool in_class, std::string* out) {
    const char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (kind == 'u' && at_ + 6 <= text_.size() && IsHexDigit(text_[at_ + 2]) &&
        IsHexDigit(text_[at_ + 3]) && IsHexDigit(text_[at_ + 4]) && IsHexDigit(text_[at_ + 5])) {
      out->append("\\x{").append(text_.substr(at_ + 2, 4)).append("}");
      at_ += 6;
      return OkStatus();
    }
    if ((kind == 'p' || kind == 'P') && text_.substr(at_ + 2, 1) == "{") {
      const std::size_t close = text_.find('}', at_);
      if (close != text_.npos) {
        Property(kind == 'P', text_.substr(at_ + 3, close - at_ - 3), in_class, out);
        at_ = close + 1;
        return OkStatus();
      }
    }
    if (kind == 'Q' && !in_class) {
      const std::size_t close = text_.find("\\E", at_ + 2);
      const std::size_t end = close == text_.npos ? text_.size() : close + 2;
      out->append(text_.substr(at_, end - at_));
      at_ = end;
      return OkStatus();
    }
    out->append(text_.substr(at_, 2));
    at_ += 2;
    return OkStatus();
  }

  static void Property(bool negated, std::string_view name, bool in_class, std::string* out) {
    for (const auto& [java, posix] : kPosixClasses) {
      if (java != name) continue;
      const std::string_view open = in_class ? "[:" : "[[:";
      const std::string_view close = in_class ? ":]" : ":]]";
      out->append(open).append(negated ? "^" : "").append(posix).append(close);
      return;
    }
    for (const std::string_view prefix : {"script=", "sc=", "general_category=", "gc=", "Is"}) {
      if (name.starts_with(prefix) && name.size() > prefix.size()) {
        name.remove_prefix(prefix.size());
        break;
      }
    }
    out->append(negated ? "\\P{" : "\\p{").append(name).append("}");
  }

  // A class, which begins at at_: a plain one as it is; one with classes inside, or with &&, as
  // alternatives of its parts, look-aheads for all but the last operand of &&.
  Result<std::string> Class(std::size_t depth) {
    if (depth > kClassDepthMax) {
      return InvalidArgument("Invalid regular expression '{}' at {}: more than {} nested classes",
                             text_, at_, kClassDepthMax);
    }
    ++at_;
    const bool negated = at_ < text_.size() && text_[at_] == '^';
    if (negated) ++at_;
    std::string plain;                  // characters, ranges and escapes of the current operand
    std::vector<std::string> nested;    // its classes
    std::vector<std::string> operands;  // of &&, before the current one
    bool first = true;
    const auto finish = [&] {
      std::string operand;
      if (nested.empty()) {
        operand = plain.empty() ? "(?!)" : "[" + plain + "]";
      } else {
        operand = "(?:";
        if (!plain.empty()) operand += "[" + plain + "]|";
        for (std::size_t i = 0; i < nested.size(); ++i) operand += (i > 0 ? "|" : "") + nested[i];
        operand += ")";
      }
      plain.clear();
      nested.clear();
      return operand;
    };
    for (; at_ < text_.size(); first = false) {
      const char c = text_[at_];
      if (c == ']' && !first) {
        ++at_;
        if (operands.empty() && nested.empty()) {
          return (negated ? "[^" : "[") + plain + "]";
        }
        std::string all;
        const std::string last = finish();
        for (const std::string& operand : operands) all += "(?=" + operand + ")";
        all += last;
        return negated ? "(?:(?!" + all + ")(?s:.))" : "(?:" + all + ")";
      }
      if (c == '[' && text_.substr(at_, 2) == "[:" &&
          text_.find(":]", at_) != text_.npos) {  // a POSIX class, as PCRE2 has it
        const std::size_t end = text_.find(":]", at_) + 2;
        plain.append(text_.substr(at_, end - at_));
        at_ = end;
      } else if (c == '[') {
        std::string set = TL_TRY(Class(depth + 1));
        nested.push_back(std::move(set));
      } else if (c == '&' && text_.substr(at_, 2) == "&&") {
        at_ += 2;
        if (!plain.empty() || !nested.empty()) operands.push_back(finish());
      } else if (c == '\\') {
        TL_TRY(Escape(true, &plain));
      } else {
        plain.push_back(c);
        ++at_;
      }
    }
    return InvalidArgument("Invalid regular expression '{}': missing terminating ] for character class",
                           text_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::string> ToPcrePattern(std::string_view java) {
  if (java.size() > kPatternBytesMax) {
    return InvalidArgument("Regular expression of {} bytes is longer than {}", java.size(),
                           kPatternBytesMax);
  }
  return Translator(java).Run();
}

}  // namespace tideline::functions
