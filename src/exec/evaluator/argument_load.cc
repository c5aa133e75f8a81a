#include "exec/evaluator/argument_load.h"

namespace tideline::exec {

ArgumentLoad::ArgumentLoad(std::span<const Vector> arguments) {
  for (const Vector& argument : arguments) {
    if (argument.type().physical() == PhysicalType::kList) lists_.push_back(&argument);
    if (argument.type().physical() == PhysicalType::kString) texts_.push_back(&argument);
  }
}

Load ArgumentLoad::Of(std::uint32_t row) const {
  Load load;
  for (const Vector* list : lists_) {
    if (!list->IsNull(row)) load.elements += list->base().values<ListEntry>()[list->Index(row)].length;
  }
  for (const Vector* text : texts_) {
    if (!text->IsNull(row)) load.text_bytes += text->base().values<StringRef>()[text->Index(row)].size();
  }
  return load;
}

Load ArgumentLoad::Of(const Selection& rows) const {
  Load load;
  for (const Vector* list : lists_) {
    const ListEntry* entries = list->base().values<ListEntry>();
    const bool nulls = list->may_have_nulls();
    rows.ForEach([&](std::uint32_t row) {
      if (!nulls || !list->IsNull(row)) load.elements += entries[list->Index(row)].length;
    });
  }
  for (const Vector* text : texts_) {
    const StringRef* refs = text->base().values<StringRef>();
    const bool nulls = text->may_have_nulls();
    rows.ForEach([&](std::uint32_t row) {
      if (!nulls || !text->IsNull(row)) load.text_bytes += refs[text->Index(row)].size();
    });
  }
  return load;
}

}  // namespace tideline::exec
