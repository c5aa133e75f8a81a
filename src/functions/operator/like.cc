// functions/operator/like.cc: value LIKE pattern [ESCAPE e]: % any text, _ one code point.
//
// A pattern is read once into pieces between '%'. The first and last piece are anchored, the others
// are found left to right, greedily, which is linear for text without '_' and never backtracks.
#include <optional>

#include "functions/kernel.h"
#include "functions/registry.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

// Text without '%'. Where `any` is set, one code point of whatever kind matches.
struct LikePiece {
  std::string literal;  // used when has_any is false
  std::vector<std::optional<std::string>> points;
  bool has_any = false;
};

class LikePattern {
 public:
  static Result<LikePattern> Parse(std::string_view pattern, std::optional<char32_t> escape) {
    static constexpr std::string_view kEscapeError =
        "Escape character must be followed by '%', '_' or the escape character itself";
    LikePattern parsed;
    parsed.pieces_.emplace_back();
    while (!pattern.empty()) {
      const std::size_t length = Utf8Length(pattern);
      const std::string_view point = pattern.substr(0, length);
      const char32_t c = Utf8Next(&pattern);
      if (escape && c == *escape) {
        if (pattern.empty()) return ExecutionFailed("{}", kEscapeError);
        const std::string_view next = pattern.substr(0, Utf8Length(pattern));
        const char32_t escaped = Utf8Next(&pattern);
        if (escaped != '%' && escaped != '_' && escaped != *escape) {
          return ExecutionFailed("{}", kEscapeError);
        }
        parsed.Literal(next);
      } else if (c == '%') {
        parsed.has_percent_ = true;
        if (!parsed.pieces_.back().points.empty() || parsed.pieces_.size() == 1) {
          parsed.pieces_.emplace_back();
        }
      } else if (c == '_') {
        parsed.pieces_.back().points.emplace_back(std::nullopt);
        parsed.pieces_.back().has_any = true;
      } else {
        parsed.Literal(point);
      }
    }
    return parsed;
  }

  bool Matches(std::string_view text) const {
    const std::optional<std::size_t> head = Prefix(pieces_.front(), text);
    if (!head) return false;
    text.remove_prefix(*head);
    if (!has_percent_) return text.empty();
    for (std::size_t i = 1; i + 1 < pieces_.size(); ++i) {
      const std::optional<std::size_t> end = Find(pieces_[i], text);
      if (!end) return false;
      text.remove_prefix(*end);
    }
    return pieces_.size() == 1 || Suffix(pieces_.back(), text);
  }

 private:
  void Literal(std::string_view point) {
    pieces_.back().points.emplace_back(std::string(point));
    pieces_.back().literal += point;
  }

  // Bytes of `text` that `piece` takes at its start.
  static std::optional<std::size_t> Prefix(const LikePiece& piece, std::string_view text) {
    if (!piece.has_any) {
      if (!text.starts_with(piece.literal)) return std::nullopt;
      return piece.literal.size();
    }
    std::size_t at = 0;
    for (const auto& point : piece.points) {
      if (at >= text.size()) return std::nullopt;
      if (point) {
        if (!text.substr(at).starts_with(*point)) return std::nullopt;
        at += point->size();
      } else {
        at += Utf8Length(text.substr(at));
      }
    }
    return at;
  }

  // Bytes up to the end of the first place where `piece` matches.
  static std::optional<std::size_t> Find(const LikePiece& piece, std::string_view text) {
    if (!piece.has_any) {
      const std::size_t at = text.find(piece.literal);
      if (at == text.npos) return std::nullopt;
      return at + piece.literal.size();
    }
    for (std::size_t at = 0; at <= text.size();) {
      if (const auto length = Prefix(piece, text.substr(at))) return at + *length;
      if (at == text.size()) break;
      at += Utf8Length(text.substr(at));
    }
    return std::nullopt;
  }

  static bool Suffix(const LikePiece& piece, std::string_view text) {
    if (!piece.has_any) return text.ends_with(piece.literal);
    const std::size_t count = Utf8Count(text);
    if (count < piece.points.size()) return false;
    text.remove_prefix(Utf8Prefix(text, count - piece.points.size()));
    return Prefix(piece, text) == text.size();
  }

  std::vector<LikePiece> pieces_;
  bool has_percent_ = false;
};

struct LikeState {
  std::string pattern;
  std::string escape;
  std::optional<LikePattern> parsed;
};

Status ReadPattern(std::string_view pattern, std::string_view escape, bool has_escape,
                   LikeState* state) {
  if (state->parsed && state->pattern == pattern && state->escape == escape) return OkStatus();
  std::optional<char32_t> escape_point;
  if (has_escape) {
    if (Utf8Count(escape) != 1) {
      return ExecutionFailed("Escape string must be a single character");
    }
    std::string_view rest = escape;
    escape_point = Utf8Next(&rest);
  }
  Result<LikePattern> parsed = LikePattern::Parse(pattern, escape_point);
  if (!parsed.ok()) return parsed.status();
  state->parsed = *std::move(parsed);
  state->pattern = pattern;
  state->escape = escape;
  return OkStatus();
}

Status Like(const KernelContext& context, std::span<const Vector> arguments, const Selection& rows,
            Vector* result, RowErrors* errors) {
  LikeState local;
  LikeState* state = &local;
  if (context.state != nullptr) {
    if (!context.state->has_value()) *context.state = LikeState{};
    state = std::any_cast<LikeState>(context.state);
  }
  const bool has_escape = arguments.size() > 2;
  const Reader<StringRef> text(arguments[0]);
  const Reader<StringRef> pattern(arguments[1]);
  const Reader<StringRef> escape(arguments[has_escape ? 2 : 1]);
  std::uint8_t* out = result->mutable_values<std::uint8_t>();
  const bool constant = arguments[1].is_constant() && (!has_escape || arguments[2].is_constant());
  Status status;
  bool ready = false;
  rows.ForEach([&](std::uint32_t row) {
    if (!constant || !ready) {
      status =
          ReadPattern(pattern[row].view(), has_escape ? escape[row].view() : "", has_escape, state);
      ready = true;
    }
    if (status.ok()) {
      out[row] = state->parsed->Matches(text[row].view()) ? 1 : 0;
    } else {
      errors->Add(row, status);
    }
  });
  return OkStatus();
}

constexpr ScalarOverload kLikeOverloads[] = {
    {"(varchar, varchar) -> boolean", Like},
    {"(varchar, varchar, varchar) -> boolean", Like},
};
constexpr ScalarFunction kLike{
    .name = "$like",
    .overloads = kLikeOverloads,
    .doc = {"operator",
            "Whether the whole text matches a pattern of % (any text) and _ (one character).",
            "SELECT 'fuel-reading' LIKE 'fuel%'", "true"}};
TL_REGISTER_SCALAR(kLike);

}  // namespace
}  // namespace tideline::functions
