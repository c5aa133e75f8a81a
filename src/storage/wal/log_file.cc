#include "storage/wal/log_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace tideline::wal {
namespace {

seal::FileIdentity IdentityOf(const LogFileHeader& header) {
  return {.file_uuid = header.file_uuid,
          .type = seal::FileType::kLog,
          .format_version = kLogFormatVersion,
          .key_id = header.key_id};
}

}  // namespace

std::uint64_t StartFileBytes(const WalOptions& options, std::uint64_t used_bytes) {
  return std::min(options.file_bytes, used_bytes + options.start_room_bytes);
}

Result<LogFileWriter> LogFileWriter::Begin(const WalOptions& options, const Uuid& file_uuid,
                                           SequenceNumber first_number, std::uint32_t previous_crc,
                                           std::unique_ptr<fs::File> file) {
  LogFileHeader header{.database_uuid = options.database_uuid,
                       .file_uuid = file_uuid,
                       .first_number = first_number,
                       .previous_crc = previous_crc};
  header.key_id = TL_TRY(options.sealer->CurrentKey(options.key_scope));
  std::unique_ptr<seal::FileSealer> sealer = TL_TRY(options.sealer->ForFile(IdentityOf(header)));
  LogFileWriter writer(header, std::move(sealer), std::move(file));
  std::array<std::byte, kFileHeaderBytes> bytes;
  writer.previous_crc_ = EncodeFileHeader(header, bytes);
  TL_TRY(writer.file_->WriteAt(0, bytes));
  return writer;
}

Result<LogFileWriter> LogFileWriter::Resume(const WalOptions& options, const LogFileHeader& header,
                                            std::uint64_t offset, std::uint32_t previous_crc,
                                            std::unique_ptr<fs::File> file) {
  std::unique_ptr<seal::FileSealer> sealer = TL_TRY(options.sealer->ForFile(IdentityOf(header)));
  LogFileWriter writer(header, std::move(sealer), std::move(file));
  writer.offset_ = offset;
  writer.previous_crc_ = previous_crc;
  return writer;
}

Status LogFileWriter::WriteFrame(FrameHeader header, std::span<std::byte> frame,
                                 std::size_t plain_bytes) {
  TL_CHECK(frame.size() == FrameBytesOf(plain_bytes));
  const std::size_t payload_bytes = plain_bytes == 0 ? 0 : plain_bytes + cipher_bytes();
  const std::span<std::byte> payload = frame.subspan(kFrameHeaderBytes, payload_bytes);
  if (plain_bytes > 0) TL_TRY(sealer_->Encrypt(FramePageIndex(offset_), payload));
  std::fill(frame.begin() + static_cast<std::ptrdiff_t>(kFrameHeaderBytes + payload_bytes),
            frame.end(), std::byte{0});
  header.payload_bytes = static_cast<std::uint32_t>(payload_bytes);
  header.payload_crc = Crc32c(payload);
  header.previous_crc = previous_crc_;
  EncodeFrameHeader(header_.file_uuid, &header, frame);
  TL_TRY(file_->WriteAt(offset_, frame));
  offset_ += frame.size();
  previous_crc_ = header.header_crc;
  return OkStatus();
}

namespace {

// Each byte is compared with the one before it, many at once.
bool IsZero(BytesView bytes) {
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

// Log files are zero-filled beforehand and mostly empty after a restart: what follows the last used step is not
// kept, so that the image is as large as what was written.
Status LogFileImage::ReadUsed(fs::File& file, std::uint64_t size, Bytes* bytes) {
  constexpr std::uint64_t kStepBytes = std::uint64_t{1} << 20;
  Bytes step;
  for (std::uint64_t offset = 0; offset < size;) {
    step.resize(static_cast<std::size_t>(std::min(kStepBytes, size - offset)));
    TL_TRY(fs::ReadExactly(file, offset, step));
    if (!IsZero(step)) {
      bytes->resize(static_cast<std::size_t>(offset));
      bytes->insert(bytes->end(), step.begin(), step.end());
    }
    offset += step.size();
  }
  // The last frame may itself end in zeros.
  const std::uint64_t end = bytes->size() + kFramePayloadBytesMax + kStepBytes;
  bytes->resize(static_cast<std::size_t>(std::min(size, end)));
  return OkStatus();
}

Result<LogFileImage> LogFileImage::Load(fs::FileSystem& fs, const WalOptions& options,
                                        const std::string& path) {
  const std::unique_ptr<fs::File> file = TL_TRY(fs.Open(path, fs::OpenMode::kReadDisk));
  const std::uint64_t size = TL_TRY(file->Size());
  if (size > kLogFileBytesMax) {
    return DataLoss("log file '{}' has {} bytes, more than the limit of {}", path, size,
                    kLogFileBytesMax);
  }
  LogFileImage image;
  TL_TRY(ReadUsed(*file, size, &image.bytes_));
  const Result<LogFileHeader> header = DecodeFileHeader(image.bytes_, &image.header_crc_);
  if (!header.ok()) return Annotate(header.status(), path);
  image.header_ = *header;
  if (image.header_.database_uuid != options.database_uuid) {
    return DataLoss("log file '{}' belongs to database {}, not {}", path,
                    FormatUuid(image.header_.database_uuid), FormatUuid(options.database_uuid));
  }
  image.sealer_ = TL_TRY(options.sealer->ForFile(IdentityOf(image.header_)));
  return image;
}

std::optional<FrameHeader> LogFileImage::HeaderAt(std::uint64_t offset) const {
  if (offset > bytes_.size()) return std::nullopt;
  return DecodeFrameHeader(header_.file_uuid,
                           BytesView(bytes_).subspan(static_cast<std::size_t>(offset)));
}

std::optional<LogFileImage::Frame> LogFileImage::FrameAt(std::uint64_t offset) {
  const std::optional<FrameHeader> header = HeaderAt(offset);
  if (!header.has_value()) return std::nullopt;
  const std::uint64_t begin = offset + kFrameHeaderBytes;
  if (header->payload_bytes > bytes_.size() - begin) return std::nullopt;
  const std::span<std::byte> payload =
      std::span(bytes_).subspan(static_cast<std::size_t>(begin), header->payload_bytes);
  if (Crc32c(payload) != header->payload_crc) return std::nullopt;
  return Frame{*header, offset, payload};
}

Result<BytesView> LogFileImage::Decrypt(const Frame& frame) const {
  if (frame.payload.empty()) return BytesView();
  return sealer_->Decrypt(FramePageIndex(frame.offset), frame.payload);
}

std::uint64_t LogFileImage::SkipZeros(std::uint64_t offset) const {
  for (std::size_t at = static_cast<std::size_t>(offset); at + 8 <= bytes_.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + at, sizeof(word));
    if (word != 0) return at;
  }
  return bytes_.size();
}

std::uint64_t LogFileImage::LastUsed(std::uint64_t offset) const {
  constexpr std::size_t kStepBytes = 4096;
  std::size_t end = bytes_.size();
  while (end >= offset + kStepBytes && IsZero(BytesView(bytes_).subspan(end - kStepBytes, kStepBytes))) {
    end -= kStepBytes;
  }
  while (end > offset && bytes_[end - 1] == std::byte{0}) --end;
  return std::max<std::uint64_t>(end, offset);
}

}  // namespace tideline::wal
