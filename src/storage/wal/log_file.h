// storage/wal/log_file.h: one log file being written, or read back whole. Internal to storage/wal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "base/uuid.h"
#include "storage/fs/file_system.h"
#include "storage/seal/sealer.h"
#include "storage/wal/log_format.h"
#include "storage/wal/wal_options.h"

namespace tideline::wal {

/// Size of a log file that a start makes around `used_bytes` of header and frames.
std::uint64_t StartFileBytes(const WalOptions& options, std::uint64_t used_bytes);

/// Appends frames to one file. One thread at a time. Knows nothing of groups, syncs or waiters.
class LogFileWriter {
 public:
  /// Writes the header into `file`, which reads as zeros; the name and the sync are the caller's.
  static Result<LogFileWriter> Begin(const WalOptions& options, const Uuid& file_uuid,
                                     SequenceNumber first_number, std::uint32_t previous_crc,
                                     std::unique_ptr<fs::File> file);
  /// Goes on behind the last frame.
  static Result<LogFileWriter> Resume(const WalOptions& options, const LogFileHeader& header,
                                      std::uint64_t offset, std::uint32_t previous_crc,
                                      std::unique_ptr<fs::File> file);

  fs::File& file() { return *file_; }
  /// Goes on through another handle of the same file, opened under its final name, so that errors
  /// name it.
  void SetFile(std::unique_ptr<fs::File> file) { file_ = std::move(file); }
  const LogFileHeader& header() const { return header_; }
  std::uint64_t offset() const { return offset_; }
  std::uint32_t previous_crc() const { return previous_crc_; }
  /// What sealing adds to a payload that is not empty.
  std::size_t cipher_bytes() const { return sealer_->cipher_bytes(); }

  /// Bytes that a frame with so many plain payload bytes takes.
  std::size_t FrameBytesOf(std::size_t plain_bytes) const {
    return FrameBytes(plain_bytes == 0 ? 0 : plain_bytes + cipher_bytes());
  }
  /// Writes one frame with one write. `frame`, FrameBytesOf(plain_bytes) long, has
  /// kFrameHeaderBytes of room and the plain payload (compressed or not, as flags say); the rest is
  /// filled in place. Of `header` the caller sets first_number, record_count, type, flags and
  /// durable_number.
  Status WriteFrame(FrameHeader header, std::span<std::byte> frame, std::size_t plain_bytes);

 private:
  LogFileWriter(const LogFileHeader& header, std::unique_ptr<seal::FileSealer> sealer,
                std::unique_ptr<fs::File> file)
      : header_(header), sealer_(std::move(sealer)), file_(std::move(file)) {}

  LogFileHeader header_;
  std::unique_ptr<seal::FileSealer> sealer_;
  std::unique_ptr<fs::File> file_;
  std::uint64_t offset_ = kFileHeaderBytes;
  std::uint32_t previous_crc_ = 0;
};

/// One log file in memory.
class LogFileImage {
 public:
  /// Reads past the page cache. kDataLoss: unreadable, damaged header, or a size above
  /// kLogFileBytesMax.
  static Result<LogFileImage> Load(fs::FileSystem& fs, const WalOptions& options,
                                   const std::string& path);

  struct Frame {
    FrameHeader header;
    std::uint64_t offset = 0;
    std::span<std::byte> payload;  ///< as stored, in the image
    std::uint64_t end() const { return offset + FrameBytes(payload.size()); }
  };

  const LogFileHeader& header() const { return header_; }
  std::uint32_t header_crc() const { return header_crc_; }
  std::uint64_t size() const { return bytes_.size(); }
  /// The frame header at `offset`, if one is valid there.
  std::optional<FrameHeader> HeaderAt(std::uint64_t offset) const;
  /// The frame at `offset`, if header, bounds and payload CRC hold.
  std::optional<Frame> FrameAt(std::uint64_t offset);
  /// Decrypts in place, once per frame; the view is in the image, still compressed.
  Result<BytesView> Decrypt(const Frame& frame) const;
  /// The next offset, not below `offset`, at which something like a frame might begin; size() if
  /// none.
  std::uint64_t SkipZeros(std::uint64_t offset) const;
  /// One past the last byte that is not zero, but at least `offset`.
  std::uint64_t LastUsed(std::uint64_t offset) const;

 private:
  LogFileImage() = default;
  static Status ReadUsed(fs::File& file, std::uint64_t size, Bytes* bytes);
  LogFileHeader header_;
  std::uint32_t header_crc_ = 0;
  std::unique_ptr<seal::FileSealer> sealer_;
  Bytes bytes_;
};

}  // namespace tideline::wal
