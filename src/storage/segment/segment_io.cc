#include "storage/segment/segment_io.h"

#include <cstring>

namespace tideline::segment {

codec::PhysicalKind PhysicalKindOf(ColumnType type) {
  switch (type) {
    case ColumnType::kDouble:
      return codec::PhysicalKind::kDouble;
    case ColumnType::kBoolean:
      return codec::PhysicalKind::kBool;
    case ColumnType::kVarchar:
      return codec::PhysicalKind::kString;
    case ColumnType::kBigint:
    case ColumnType::kTimestamp:
      return codec::PhysicalKind::kInt64;
  }
  return codec::PhysicalKind::kInt64;
}

Status MemorySink::Append(BytesView bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return OkStatus();
}

Status MemoryRangeReader::Read(std::uint64_t offset, std::span<std::byte> out) {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
    return DataLoss("range [{}, +{}) lies outside {} bytes", offset, out.size(), bytes_.size());
  }
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return OkStatus();
}

}  // namespace tideline::segment
