// storage/codec/text_cache.h: text that a block decodes once and lends out for as long as it lives.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"
#include "storage/codec/block.h"

namespace tideline::codec {

/// Slices of one block, each decoded at its first use and then kept. Thread-safe. Holds at most the
/// block's text, which is at most kBlockStringBytesMax.
class TextCache {
 public:
  /// The text of slice `index`; `decode(&text)` fills it at the first call and may fail, in which case
  /// nothing is kept.
  template <typename Decode>
  Result<std::string_view> Slice(std::size_t index, Decode decode) {
    MutexLock lock(mutex_);
    Entry& entry = entries_[index];
    if (!entry.is_decoded) {
      entry.text.clear();
      TL_TRY(decode(&entry.text));
      entry.is_decoded = true;
    }
    return std::string_view(entry.text);
  }

 private:
  struct Entry {
    bool is_decoded = false;
    std::string text;
  };
  Mutex mutex_;
  std::array<Entry, kBlockRowsMax / kSliceValues> entries_ TL_GUARDED_BY(mutex_);
};

}  // namespace tideline::codec
