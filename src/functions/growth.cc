#include "functions/growth.h"

namespace tideline::functions {

Status CheckTextBytes(std::string_view function, std::size_t bytes) {
  if (bytes <= kTextBytesMax) return OkStatus();
  return ExecutionFailed("{} would make a text of more than {} bytes", function, kTextBytesMax);
}

Status CheckCallTextBytes(std::string_view function, std::size_t bytes) {
  if (bytes <= kCallTextBytesMax) return OkStatus();
  return ExecutionFailed("{} would make more than {} bytes of text for one batch of rows", function, kCallTextBytesMax);
}

Status CheckCallElements(std::string_view function, std::size_t count) {
  if (count <= kCallElementsMax) return OkStatus();
  return ExecutionFailed("{} would make more than {} list elements for one batch of rows", function, kCallElementsMax);
}

}  // namespace tideline::functions
