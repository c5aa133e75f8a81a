// functions/string/word_stem.cc: the stem of a word, by the Snowball algorithms of libstemmer.
#include <libstemmer.h>

#include <map>
#include <memory>
#include <string>

#include "functions/kernel.h"
#include "functions/registry.h"

namespace tideline::functions {
namespace {

/// Longest word that is stemmed; longer ones are answered as they are.
constexpr std::size_t kWordBytesMax = 4096;

constexpr std::string_view kLanguages[] = {"ca", "da", "de", "en", "es", "eu", "fi",
                                           "fr", "hu", "hy", "it", "lt", "nl", "no",
                                           "pt", "ro", "ru", "sv", "tr"};

struct DeleteStemmer {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};
// Making a stemmer allocates its tables, so a call site keeps those it has met.
using Stemmers = std::map<std::string, std::unique_ptr<sb_stemmer, DeleteStemmer>, std::less<>>;

Result<sb_stemmer*> StemmerOf(std::string_view language, Stemmers* stemmers) {
  const auto known = stemmers->find(language);
  if (known != stemmers->end()) return known->second.get();
  bool listed = false;
  for (const std::string_view name : kLanguages) listed = listed || name == language;
  sb_stemmer* stemmer =
      listed ? sb_stemmer_new(std::string(language).c_str(), "UTF_8") : nullptr;
  if (stemmer == nullptr) return ExecutionFailed("Unknown stemmer language: {}", language);
  stemmers->emplace(language, stemmer);
  return stemmer;
}

Status StemKernel(const KernelContext& context, std::span<const Vector> arguments,
                  const Selection& rows, Vector* result, RowErrors* errors) {
  Stemmers local;
  Stemmers* stemmers = &local;
  if (context.state != nullptr) {
    if (!context.state->has_value()) *context.state = std::make_shared<Stemmers>();
    stemmers = std::any_cast<std::shared_ptr<Stemmers>>(context.state)->get();
  }
  const Reader<StringRef> words(arguments[0]);
  rows.ForEach([&](std::uint32_t row) {
    const std::string_view language =
        arguments.size() > 1 ? Reader<StringRef>(arguments[1])[row].view() : "en";
    const Result<sb_stemmer*> stemmer = StemmerOf(language, stemmers);
    if (!stemmer.ok()) {
      errors->Add(row, stemmer.status());
      return;
    }
    const std::string_view word = words[row].view();
    if (word.size() > kWordBytesMax) {
      result->SetString(row, word);
      return;
    }
    const sb_symbol* stem =
        sb_stemmer_stem(*stemmer, reinterpret_cast<const sb_symbol*>(word.data()),
                        static_cast<int>(word.size()));
    if (stem == nullptr) {
      errors->Add(row, ResourceExhausted("out of memory while stemming a word"));
      return;
    }
    result->SetString(row, {reinterpret_cast<const char*>(stem),
                            static_cast<std::size_t>(sb_stemmer_length(*stemmer))});
  });
  return OkStatus();
}

constexpr ScalarOverload kWordStemOverloads[] = {{"(varchar) -> varchar", StemKernel},
                                                 {"(varchar, varchar) -> varchar", StemKernel}};
constexpr ScalarFunction kWordStem{
    .name = "word_stem",
    .overloads = kWordStemOverloads,
    .doc = {"string", "The stem of a word, English or of a language named by its ISO 639 code.",
            "SELECT word_stem('intensifying'), word_stem('torpedearon', 'es')",
            "intensifi, torped"}};
TL_REGISTER_SCALAR(kWordStem);

}  // namespace
}  // namespace tideline::functions
