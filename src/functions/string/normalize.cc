// functions/string/normalize.cc: the four normal forms of Unicode (UAX 15), by utf8proc.
#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "functions/kernel.h"
#include "functions/registry.h"
#include "functions/utf8.h"

namespace tideline::functions {
namespace {

struct Form {
  std::string_view name;
  int options;
};
constexpr Form kForms[] = {
    {"NFC", UTF8PROC_STABLE | UTF8PROC_COMPOSE},
    {"NFD", UTF8PROC_STABLE | UTF8PROC_DECOMPOSE},
    {"NFKC", UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT},
    {"NFKD", UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT},
};

Status NormalizeTo(const StringRef& text, const StringRef& wanted, std::string* out) {
  const Form* form = nullptr;
  for (const Form& known : kForms) {
    if (known.name == wanted.view()) form = &known;
  }
  if (form == nullptr) {
    return ExecutionFailed("Normalization form must be one of [NFD, NFC, NFKD, NFKC]: {}",
                           wanted.view());
  }
  const std::string_view bytes = text.view();
  if (IsAscii(bytes)) {  // is all of its forms
    out->append(bytes);
    return OkStatus();
  }
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                   static_cast<utf8proc_ssize_t>(bytes.size()), &mapped,
                   static_cast<utf8proc_option_t>(form->options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (length < 0) {
    return ExecutionFailed("Cannot normalize the text: {}", utf8proc_errmsg(length));
  }
  out->append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
  return OkStatus();
}

constexpr ScalarOverload kNormalizeOverloads[] = {
    {"(varchar, varchar) -> varchar", TryText2<StringRef, StringRef, NormalizeTo>}};
constexpr ScalarFunction kNormalize{
    .name = "normalize",
    .overloads = kNormalizeOverloads,
    .doc = {"string", "The text in a normal form of Unicode: NFC, NFD, NFKC or NFKD.",
            "SELECT normalize('\xEF\xBC\xA1\xC2\xB2', NFKC)", "A2"}};
TL_REGISTER_SCALAR(kNormalize);

}  // namespace
}  // namespace tideline::functions
