#include "exec/spill/spill_space.h"

#include <algorithm>

#include "base/check.h"
#include "base/metrics.h"
#include "base/random.h"

namespace tideline::exec {
namespace {

constexpr std::uint16_t kSpillFormatVersion = 1;
constexpr std::string_view kSpillSuffix = ".spill";
/// How much may be written between two looks at the disk's free room.
constexpr std::uint64_t kDiskCheckBytes = std::uint64_t{16} << 20;
/// Files from this size on are closed by the space's own thread.
constexpr std::uint64_t kCloseApartBytesMin = std::uint64_t{16} << 20;

Counter& SpilledBytes() {
  static Counter& counter = Metrics().MakeCounter("tideline_spill_written_bytes_total",
                                                  "Bytes that queries wrote to spill files");
  return counter;
}

Counter& SpillFiles() {
  static Counter& counter =
      Metrics().MakeCounter("tideline_spill_files_total", "Spill files that queries made");
  return counter;
}

// "<number>.spill", as NewFile of SpillQuota names them.
bool IsSpillName(std::string_view name) {
  if (!name.ends_with(kSpillSuffix)) return false;
  name.remove_suffix(kSpillSuffix.size());
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

// ---- SpillSpace -----------------------------------------------------------------------------------

Result<std::unique_ptr<SpillSpace>> SpillSpace::Open(SpillOptions options) {
  TL_CHECK(options.file_system != nullptr && options.sealer != nullptr);
  fs::FileSystem& file_system = *options.file_system;
  TL_TRY(fs::CreateDirectories(file_system, options.directory));
  // A process that died between making a file and taking its name away leaves one behind.
  const std::vector<fs::DirectoryEntry> entries = TL_TRY(file_system.List(options.directory));
  for (const fs::DirectoryEntry& entry : entries) {
    if (entry.is_directory || !IsSpillName(entry.name)) continue;
    TL_TRY(file_system.Remove(fs::JoinPath(options.directory, entry.name)));
  }
  std::unique_ptr<SpillSpace> space(new SpillSpace(std::move(options)));
  SpilledBytes();
  SpillFiles();
  Metrics().AddGauge(space.get(), "tideline_spill_bytes", "Bytes of spill files in use", "",
                     [raw = space.get()] { return static_cast<double>(raw->used_bytes()); });
  return space;
}

SpillSpace::~SpillSpace() { Metrics().RemoveGauges(this); }

void SpillSpace::Close(std::unique_ptr<fs::File> file, std::uint64_t bytes) {
  if (bytes < kCloseApartBytesMin) {
    file.reset();
    used_.fetch_sub(bytes);
    return;
  }
  // A function that can be copied, as work of a pool is, holds no unique pointer.
  const auto work = [this, held = std::make_shared<std::unique_ptr<fs::File>>(std::move(file)), bytes] {
    held->reset();
    used_.fetch_sub(bytes);
  };
  if (!closer_.Submit(work).ok()) work();
}

// ---- SpillQuota -----------------------------------------------------------------------------------

Result<std::shared_ptr<SpillFile>> SpillQuota::NewFile() {
  const SpillOptions& options = space_->options_;
  static thread_local Random random = Random::FromSystem();
  seal::FileIdentity identity;
  identity.file_uuid = MakeUuid(random);
  identity.type = seal::FileType::kSpill;
  identity.format_version = kSpillFormatVersion;
  identity.key_id = TL_TRY(options.sealer->CurrentKey(Uuid{}));
  std::unique_ptr<seal::FileSealer> sealer = TL_TRY(options.sealer->ForFile(identity));
  const std::string path =
      fs::JoinPath(options.directory, fmt::format("{}{}", space_->next_number_.fetch_add(1), kSpillSuffix));
  std::unique_ptr<fs::File> file = TL_TRY(options.file_system->Open(path, fs::OpenMode::kCreateNew));
  TL_TRY(options.file_system->Remove(path));
  SpillFiles().Add();
  return std::shared_ptr<SpillFile>(new SpillFile(this, std::move(file), std::move(sealer)));
}

Status SpillQuota::Reserve(std::uint64_t bytes) {
  const SpillOptions& options = space_->options_;
  const std::uint64_t used = used_.fetch_add(bytes) + bytes;
  if (used > options.query_bytes_max) {
    used_.fetch_sub(bytes);
    return ResourceExhausted("the query would spill {} bytes to disk, more than query-spill-max allows: {}",
                             used, options.query_bytes_max);
  }
  const std::uint64_t all = space_->used_.fetch_add(bytes) + bytes;
  if (all > options.bytes_max) {
    space_->used_.fetch_sub(bytes);
    used_.fetch_sub(bytes);
    return ResourceExhausted("all queries together would spill {} bytes to disk, more than spill-max allows: {}",
                             all, options.bytes_max);
  }
  if (const Status status = CheckDisk(bytes); !status.ok()) {
    Release(bytes);
    return status;
  }
  return OkStatus();
}

Status SpillQuota::CheckDisk(std::uint64_t bytes) {
  const SpillOptions& options = space_->options_;
  if (options.disk_free_bytes_min == 0) return OkStatus();
  const std::uint64_t before = unchecked_.fetch_add(bytes);
  if (before != 0 && before + bytes < kDiskCheckBytes) return OkStatus();
  unchecked_ = 1;
  const fs::SpaceInfo info = TL_TRY(options.file_system->Space(options.directory));
  if (info.free_bytes >= options.disk_free_bytes_min + bytes) return OkStatus();
  return ResourceExhausted("the query cannot spill to disk: {} bytes are free, and spill-disk-free keeps {}",
                           info.free_bytes, options.disk_free_bytes_min);
}

void SpillQuota::Release(std::uint64_t bytes) {
  used_.fetch_sub(bytes);
  space_->used_.fetch_sub(bytes);
}

// ---- SpillFile ------------------------------------------------------------------------------------

SpillFile::~SpillFile() {
  quota_->used_.fetch_sub(size_);
  quota_->space_->Close(std::move(file_), size_);
}

Result<std::uint32_t> SpillFile::Append(BytesView plain) {
  if (plain.size() > kFrameBytesMax) {
    return ResourceExhausted("rows of {} bytes cannot be spilled: a frame holds at most {}", plain.size(),
                             kFrameBytesMax);
  }
  Bytes page(plain.size() + sealer_->overhead_bytes());
  std::copy(plain.begin(), plain.end(), page.begin());
  TL_TRY(sealer_->SealPage(next_index_, page));
  TL_TRY(quota_->Reserve(page.size()));
  if (const Status status = file_->WriteAt(size_, page); !status.ok()) {
    quota_->Release(page.size());
    return Annotate(status, "spilling to disk");
  }
  SpilledBytes().Add(page.size());
  const Frame frame{size_, static_cast<std::uint32_t>(page.size()), static_cast<std::uint32_t>(plain.size())};
  size_ += page.size();
  const MutexLock lock(mutex_);
  frames_.push_back(frame);
  return next_index_++;
}

Result<std::shared_ptr<const Bytes>> SpillFile::Read(std::uint32_t index) const {
  Frame frame;
  {
    const MutexLock lock(mutex_);
    TL_CHECK(index < frames_.size());
    frame = frames_[index];
  }
  auto page = std::make_shared<Bytes>(frame.stored_bytes);
  TL_TRY(fs::ReadExactly(*file_, frame.offset, *page));
  const BytesView plain = TL_TRY(sealer_->OpenPage(index, *page));
  TL_CHECK(plain.data() == page->data() && plain.size() == frame.plain_bytes);
  page->resize(frame.plain_bytes);
  return std::shared_ptr<const Bytes>(std::move(page));
}

}  // namespace tideline::exec
