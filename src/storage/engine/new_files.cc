#include "storage/engine/new_files.h"

#include "base/log.h"

namespace tideline::engine {
namespace {

class ObjectSegmentSink final : public SegmentSink {
 public:
  ObjectSegmentSink(objstore::ObjectStore& store, std::string key,
                    std::unique_ptr<objstore::ObjectWriter> writer, NewFiles::Pace pace)
      : store_(store), key_(std::move(key)), writer_(std::move(writer)), pace_(std::move(pace)) {}

  Status Append(BytesView bytes) override {
    if (pace_) TL_TRY(pace_(bytes.size()));
    return writer_->Append(bytes);
  }

  Status Commit() override {
    const std::uint64_t bytes = writer_->size();
    switch (TL_TRY(writer_->Commit())) {
      case objstore::PutOutcome::kCreated:
        return OkStatus();
      case objstore::PutOutcome::kExists:
        break;
      case objstore::PutOutcome::kUnknown: {
        // The answer was lost. The name is nobody else's, so what is there whole is ours.
        const auto there = store_.Head(key_);
        if (there.ok() && there->bytes == bytes) return OkStatus();
        break;
      }
    }
    return Unavailable("{} could not be stored under its unique name", key_);
  }

 private:
  objstore::ObjectStore& store_;
  const std::string key_;
  std::unique_ptr<objstore::ObjectWriter> writer_;
  NewFiles::Pace pace_;
};

}  // namespace

NewFiles::~NewFiles() {
  for (const Key& file : keys_) {
    const Status removed = file.store->Remove(file.key);
    if (!removed.ok()) TL_LOG_WARNING("{} stays until restart: {}", file.key, MessageOf(removed));
  }
}

Result<std::unique_ptr<SegmentSink>> NewFiles::MakeSink(objstore::ObjectStore& store,
                                                        const std::string& key, Pace pace) {
  auto writer = TL_TRY(store.Create(key));
  keys_.push_back({&store, key});
  return std::unique_ptr<SegmentSink>(
      std::make_unique<ObjectSegmentSink>(store, key, std::move(writer), std::move(pace)));
}

Status NewFiles::Put(objstore::ObjectStore& store, const std::string& key, BytesView bytes) {
  auto sink = TL_TRY(MakeSink(store, key));
  TL_TRY(sink->Append(bytes));
  return sink->Commit();
}

}  // namespace tideline::engine
