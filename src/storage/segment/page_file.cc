#include "storage/segment/page_file.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace tideline::segment {
namespace {

// Pages read at once by a scrub.
constexpr std::uint64_t kScrubPages = 32;

std::size_t PlainBytesMax(const PageSeal* seal) {
  const std::size_t overhead = seal == nullptr ? 0 : seal->overhead_bytes();
  TL_CHECK(overhead < kPageBytes / 2);
  return kPageBytes - kPageCrcBytes - overhead;
}

std::uint32_t PageCrc(std::uint64_t page_index, BytesView body) {
  const std::uint32_t start = Crc32c(std::as_bytes(std::span(&page_index, 1)));
  return Crc32c(body, start);
}

}  // namespace

PageWriter::PageWriter(ByteSink& sink, PageSeal* seal)
    : sink_(sink), seal_(seal), plain_bytes_max_(PlainBytesMax(seal)) {
  plain_.reserve(plain_bytes_max_);
}

Status PageWriter::Append(BytesView bytes) {
  offset_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), plain_bytes_max_ - plain_.size());
    plain_.insert(plain_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (plain_.size() == plain_bytes_max_) TL_TRY(WritePage());
  }
  return OkStatus();
}

Status PageWriter::WritePage() {
  const std::size_t overhead = seal_ == nullptr ? 0 : seal_->overhead_bytes();
  const std::size_t body_bytes = plain_.size() + overhead;
  stored_.resize(body_bytes + kPageCrcBytes);
  const std::span<std::byte> body(stored_.data(), body_bytes);
  if (seal_ == nullptr) {
    std::memcpy(body.data(), plain_.data(), plain_.size());
  } else {
    TL_TRY(seal_->Seal(page_index_, plain_, body));
  }
  const std::uint32_t crc = PageCrc(page_index_, body);
  std::memcpy(stored_.data() + body_bytes, &crc, sizeof(crc));
  TL_TRY(sink_.Append(stored_));
  hasher_.Update(stored_);
  file_bytes_ += stored_.size();
  ++page_index_;
  plain_.clear();
  return OkStatus();
}

Status PageWriter::Finish() { return plain_.empty() ? OkStatus() : WritePage(); }

Result<std::unique_ptr<PageReader>> PageReader::Open(std::shared_ptr<RangeReader> file,
                                                     std::uint64_t file_bytes, PageSeal* seal) {
  auto reader = std::unique_ptr<PageReader>(new PageReader());
  reader->file_ = std::move(file);
  reader->seal_ = seal;
  reader->file_bytes_ = file_bytes;
  reader->plain_bytes_max_ = PlainBytesMax(seal);
  const std::size_t around = kPageBytes - reader->plain_bytes_max_;
  const std::uint64_t rest = file_bytes % kPageBytes;
  if (rest > 0 && rest <= around) return DataLoss("pages: {} bytes end inside a page", file_bytes);
  reader->logical_bytes_ =
      file_bytes / kPageBytes * reader->plain_bytes_max_ + (rest > 0 ? rest - around : 0);
  return reader;
}

std::size_t PageReader::StoredBytes(std::uint64_t page_index) const {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(kPageBytes, file_bytes_ - page_index * kPageBytes));
}

Status PageReader::OpenPage(std::uint64_t page_index, BytesView stored, Bytes* scratch,
                            BytesView* plain) const {
  const BytesView body = stored.first(stored.size() - kPageCrcBytes);
  std::uint32_t crc;
  std::memcpy(&crc, stored.data() + body.size(), sizeof(crc));
  if (crc != PageCrc(page_index, body))
    return DataLoss("pages: bad checksum of page {}", page_index);
  if (seal_ == nullptr) {
    *plain = body;
    return OkStatus();
  }
  scratch->resize(body.size() - seal_->overhead_bytes());
  TL_TRY(seal_->Unseal(page_index, body, *scratch));
  *plain = *scratch;
  return OkStatus();
}

Status PageReader::Read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > logical_bytes_ || out.size() > logical_bytes_ - offset) {
    return DataLoss("pages: range [{}, +{}) lies outside {} bytes", offset, out.size(),
                    logical_bytes_);
  }
  if (out.empty()) return OkStatus();
  const std::uint64_t first_page = offset / plain_bytes_max_;
  const std::uint64_t last_page = (offset + out.size() - 1) / plain_bytes_max_;
  const std::size_t stored_bytes =
      static_cast<std::size_t>(last_page - first_page) * kPageBytes + StoredBytes(last_page);
  const auto stored = std::make_unique_for_overwrite<std::byte[]>(stored_bytes);
  TL_TRY(file_->Read(first_page * kPageBytes, {stored.get(), stored_bytes}));
  Bytes scratch;
  std::size_t done = 0;
  for (std::uint64_t page = first_page; page <= last_page; ++page) {
    const std::byte* at = stored.get() + static_cast<std::size_t>(page - first_page) * kPageBytes;
    BytesView plain;
    TL_TRY(OpenPage(page, {at, StoredBytes(page)}, &scratch, &plain));
    const auto skip = static_cast<std::size_t>(offset + done - page * plain_bytes_max_);
    const std::size_t count = std::min(plain.size() - skip, out.size() - done);
    std::memcpy(out.data() + done, plain.data() + skip, count);
    done += count;
  }
  return OkStatus();
}

Result<Hash128> PageReader::Scrub() const {
  const std::uint64_t page_count = (file_bytes_ + kPageBytes - 1) / kPageBytes;
  WideHasher hasher;
  Bytes stored;
  Bytes scratch;
  for (std::uint64_t first = 0; first < page_count; first += kScrubPages) {
    const std::uint64_t start = first * kPageBytes;
    stored.resize(static_cast<std::size_t>(
        std::min<std::uint64_t>(kScrubPages * kPageBytes, file_bytes_ - start)));
    TL_TRY(file_->Read(start, stored));
    hasher.Update(stored);
    for (std::size_t at = 0; at < stored.size(); at += kPageBytes) {
      const std::uint64_t page = first + at / kPageBytes;
      BytesView plain;
      TL_TRY(OpenPage(page, BytesView(stored).subspan(at, StoredBytes(page)), &scratch, &plain));
    }
  }
  return hasher.Finish();
}

}  // namespace tideline::segment
