#include "storage/objstore/object_store.h"

#include <algorithm>

namespace tideline::objstore {
namespace {
constexpr std::string_view kTemporaryEnd = ".tmp";

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Status CheckComponent(std::string_view key, std::string_view component) {
  if (component.empty() || component == "." || component == "..") {
    return InvalidArgument("object key '{}' has the component '{}'", key, component);
  }
  if (component.size() >= kTemporaryEnd.size() &&
      component.substr(component.size() - kTemporaryEnd.size()) == kTemporaryEnd) {
    return InvalidArgument("object key '{}' ends a component in '{}'", key, kTemporaryEnd);
  }
  for (const char c : component) {
    if (!IsKeyCharacter(c)) {
      return InvalidArgument("object key '{}' has the character 0x{:02x}", key,
                             static_cast<unsigned char>(c));
    }
  }
  return OkStatus();
}
}  // namespace

Status CheckKey(std::string_view key) {
  if (key.empty() || key.size() > kKeyBytesMax) {
    return InvalidArgument("object key has {} bytes, not 1 to {}", key.size(), kKeyBytesMax);
  }
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    TL_TRY(CheckComponent(key, key.substr(begin, end - begin)));
    begin = end + 1;
  }
  return OkStatus();
}

Result<Bytes> ObjectStore::Get(std::string_view key, std::uint64_t offset, std::size_t bytes) {
  Bytes out(bytes);
  const std::size_t count = TL_TRY(Read(key, offset, out));
  if (count != bytes) {
    return DataLoss("object '{}' ends at byte {}, inside a read of {} bytes from {}", key,
                    offset + count, bytes, offset);
  }
  return out;
}

Result<PutOutcome> PutIfAbsentSettled(ObjectStore& store, std::string_view key, BytesView bytes) {
  Status last = OkStatus();
  for (int attempt = 0; attempt < kSettleAttemptsMax; ++attempt) {
    const PutOutcome outcome = TL_TRY(store.PutIfAbsent(key, bytes));
    if (outcome == PutOutcome::kCreated) return outcome;
    // Taken at the first try by someone else; later perhaps by an earlier try of ours.
    if (outcome == PutOutcome::kExists && attempt == 0) return outcome;
    // A request that was taken for lost may still arrive: only bytes that are there say something,
    // and what is absent is sent again under the same condition.
    const Result<Bytes> there = store.GetWhole(key, kPutBytesMax);
    if (there.ok()) {
      return std::equal(there->begin(), there->end(), bytes.begin(), bytes.end())
                 ? PutOutcome::kCreated
                 : PutOutcome::kExists;
    }
    last = there.status();
    if (CodeOf(last) != ErrorCode::kNotFound && CodeOf(last) != ErrorCode::kUnavailable) return last;
  }
  return Unavailable("whether '{}' was created is not known: {}", key, MessageOf(last));
}

Result<Bytes> ObjectStore::GetWhole(std::string_view key, std::size_t bytes_max) {
  const ObjectInfo info = TL_TRY(Head(key));
  if (info.bytes > bytes_max) {
    return DataLoss("object '{}' has {} bytes, more than the limit of {}", key, info.bytes,
                    bytes_max);
  }
  return Get(key, 0, static_cast<std::size_t>(info.bytes));
}

}  // namespace tideline::objstore
