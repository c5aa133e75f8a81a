#include "functions/map/map_result.h"

#include "base/check.h"
#include "columnar/text_format.h"
#include "functions/element_set.h"
#include "functions/nested.h"

namespace tideline::functions {

void MapResult::Finish(const Vector& keys, const Vector& values) {
  TL_CHECK(keys_.size() <= UINT32_MAX);
  if (keys_.empty()) return;
  result_->SetChild(0, Gather(keys, keys_));
  result_->SetChild(1, Gather(values, values_));
}

Status CheckMapKeys(const Vector& keys, std::span<const std::uint32_t> indices) {
  ElementSet seen(keys, indices.size());
  for (const std::uint32_t index : indices) {
    if (keys.IsNull(index)) return ExecutionFailed("map key cannot be null");
    if (seen.Insert(index)) continue;
    std::string text;
    AppendText(keys, index, &text);
    return ExecutionFailed("Duplicate map keys ({}) are not allowed", text);
  }
  return OkStatus();
}

}  // namespace tideline::functions
