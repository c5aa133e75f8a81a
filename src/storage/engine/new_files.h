// storage/engine/new_files.h: files on their way into a manifest.
//
// Whoever writes files for a manifest notes each key here before its first byte. Unless a manifest came to name them,
// they are removed again when the list dies, so that failed work leaves nothing behind.
#pragma once

#include <string>
#include <vector>

#include "storage/engine/flush.h"
#include "storage/objstore/object_store.h"

namespace tideline::engine {

/// Not thread-safe. Stores outlive it.
class NewFiles {
 public:
  NewFiles() = default;
  ~NewFiles();
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;

  /// Called with the size of each piece before it is written; an error ends the writing.
  using Pace = std::function<Status(std::size_t bytes)>;
  Result<std::unique_ptr<SegmentSink>> MakeSink(objstore::ObjectStore& store,
                                                const std::string& key, Pace pace = {});
  Status Put(objstore::ObjectStore& store, const std::string& key, BytesView bytes);
  /// A manifest names them, or perhaps does.
  void Keep() { keys_.clear(); }

 private:
  struct Key {
    objstore::ObjectStore* store;
    std::string key;
  };
  std::vector<Key> keys_;
};

}  // namespace tideline::engine
