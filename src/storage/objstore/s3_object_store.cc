#include "storage/objstore/s3_object_store.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "storage/objstore/s3_client.h"
#include "storage/objstore/xml.h"

namespace tideline::objstore {
namespace {

constexpr std::size_t kListedAtOnceMax = 1000;

bool IsSuccess(const net::HttpClientResponse& answer) {
  return answer.status >= 200 && answer.status < 300;
}

std::string_view TextOfBytes(BytesView bytes) { return AsText(bytes); }

Status CheckPutBytes(std::string_view key, BytesView bytes) {
  TL_TRY(CheckKey(key));
  if (bytes.size() <= kPutBytesMax) return OkStatus();
  return InvalidArgument("object '{}' has {} bytes, more than the limit of {} for one put", key,
                         bytes.size(), kPutBytesMax);
}

// "bytes 0-499/1234": the first number, when it is one.
std::optional<std::uint64_t> RangeStart(std::string_view header) {
  if (!header.starts_with("bytes ")) return std::nullopt;
  header.remove_prefix(6);
  std::uint64_t start = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), start);
  if (error != std::errc() || end == header.data()) return std::nullopt;
  return start;
}

Status PutWhole(S3Client& client, std::string_view key, BytesView bytes) {
  const S3Request request{.method = "PUT", .key = std::string(key), .body = TextOfBytes(bytes)};
  const auto answer = TL_TRY(client.Send(request));
  return IsSuccess(answer) ? OkStatus() : client.ErrorOf(request, answer);
}

// Parts of part_bytes; an object smaller than one part is a plain put.
class S3ObjectWriter final : public ObjectWriter {
 public:
  S3ObjectWriter(S3Client& client, std::string_view key) : client_(client), key_(key) {
    buffer_.reserve(client.options().part_bytes);
  }
  ~S3ObjectWriter() override {
    if (upload_id_.empty() || finished_) return;
    // What stays if this fails is collected by the bucket's lifecycle rule.
    const S3Request request{.method = "DELETE", .key = key_, .query = {{"uploadId", upload_id_}}};
    static_cast<void>(client_.SendOnce(request, client_.CallDeadline()));
  }

  Status Append(BytesView bytes) override {
    TL_TRY(failed_);
    while (!bytes.empty()) {
      const std::size_t count =
          std::min(bytes.size(), client_.options().part_bytes - buffer_.size());
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
      size_ += count;
      if (buffer_.size() == client_.options().part_bytes) {
        failed_ = SendPart();
        TL_TRY(failed_);
      }
    }
    return OkStatus();
  }

  std::uint64_t size() const override { return size_; }

  Result<PutOutcome> Commit() override {
    TL_TRY(failed_);
    failed_ = Unavailable("object '{}' is already committed", key_);
    if (upload_id_.empty()) {
      TL_TRY(PutWhole(client_, key_, buffer_));
      return PutOutcome::kCreated;
    }
    if (!buffer_.empty()) TL_TRY(SendPart());
    TL_TRY(Complete());
    finished_ = true;
    return PutOutcome::kCreated;
  }

 private:
  Status Begin() {
    const S3Request request{.method = "POST", .key = key_, .query = {{"uploads", ""}}};
    const auto answer = TL_TRY(client_.Send(request));
    if (!IsSuccess(answer)) return client_.ErrorOf(request, answer);
    const XmlElement xml = TL_TRY(ParseXml(answer.body));
    upload_id_ = xml.TextOf("UploadId");
    if (upload_id_.empty()) return DataLoss("object store: the answer to a new upload has no UploadId");
    return OkStatus();
  }

  Status SendPart() {
    if (upload_id_.empty()) TL_TRY(Begin());
    if (etags_.size() >= kS3PartsMax) {
      return InvalidArgument("object '{}' has more than {} parts of {} bytes", key_, kS3PartsMax,
                             client_.options().part_bytes);
    }
    const S3Request request{.method = "PUT",
                            .key = key_,
                            .query = {{"partNumber", std::to_string(etags_.size() + 1)},
                                      {"uploadId", upload_id_}},
                            .body = TextOfBytes(buffer_)};
    const auto answer = TL_TRY(client_.Send(request));
    if (!IsSuccess(answer)) return client_.ErrorOf(request, answer);
    const auto etag = answer.Find("etag");
    if (!etag.has_value()) return DataLoss("object store: part {} of '{}' got no ETag", etags_.size() + 1, key_);
    etags_.emplace_back(*etag);
    buffer_.clear();
    return OkStatus();
  }

  // A lost answer is looked up: the name is unique, so an object of this size is ours.
  Status Complete() {
    std::string body = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < etags_.size(); ++i) {
      body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                          EscapeXml(etags_[i]));
    }
    body += "</CompleteMultipartUpload>";
    const S3Request request{
        .method = "POST", .key = key_, .query = {{"uploadId", upload_id_}}, .body = body};
    const std::int64_t deadline_ns = client_.CallDeadline();
    Status last = OkStatus();
    for (int attempt = 1; attempt <= client_.options().attempts_max; ++attempt) {
      const auto answer = client_.SendOnce(request, deadline_ns);
      if (answer.ok() && IsSuccess(*answer)) {
        // Errors may come with 200 here: the server answers before it knows.
        const auto xml = ParseXml(answer->body);
        if (xml.ok() && xml->name == "CompleteMultipartUploadResult") return OkStatus();
        last = xml.ok() ? client_.ErrorOf(request, *answer) : xml.status();
      } else {
        last = answer.ok() ? client_.ErrorOf(request, *answer) : answer.status();
      }
      const S3Request head{.method = "HEAD", .key = key_};
      const auto there = client_.SendOnce(head, deadline_ns);
      if (there.ok() && there->status == 200 &&
          there->Find("content-length") == std::string_view(std::to_string(size_))) {
        return OkStatus();
      }
      const bool refused = answer.ok() && answer->status >= 400 && answer->status < 500 &&
                           answer->status != 409 && answer->status != 429;
      if (refused || !client_.Pause(attempt, deadline_ns)) break;
    }
    return last;
  }

  S3Client& client_;
  const std::string key_;
  Bytes buffer_;
  std::uint64_t size_ = 0;
  std::string upload_id_;
  std::vector<std::string> etags_;
  Status failed_ = OkStatus();
  bool finished_ = false;
};

class S3ObjectStore final : public ObjectStore {
 public:
  explicit S3ObjectStore(std::unique_ptr<S3Client> client) : client_(std::move(client)) {}

  Result<PutOutcome> PutIfAbsent(std::string_view key, BytesView bytes) override {
    TL_TRY(CheckPutBytes(key, bytes));
    const S3Request request{.method = "PUT",
                            .key = std::string(key),
                            .headers = {{"if-none-match", "*"}},
                            .body = TextOfBytes(bytes)};
    const std::int64_t deadline_ns = client_->CallDeadline();
    for (int attempt = 1;; ++attempt) {
      const auto answer = client_->SendOnce(request, deadline_ns);
      if (!answer.ok()) {
        // An argument the client refused was never sent; all else may have arrived.
        if (CodeOf(answer.status()) == ErrorCode::kInvalidArgument) return answer.status();
        return PutOutcome::kUnknown;
      }
      if (IsSuccess(*answer)) return PutOutcome::kCreated;
      if (answer->status == 412) return PutOutcome::kExists;
      if (answer->status >= 500 || answer->status == 429 || answer->status == 408) {
        // Whoever settles this asks again at once: not into a server that says it has too much to do.
        static_cast<void>(client_->Pause(attempt, deadline_ns));
        return PutOutcome::kUnknown;
      }
      if (answer->status != 409) return client_->ErrorOf(request, *answer);
      // Another create of this key was under way: nothing was done.
      if (attempt >= client_->options().attempts_max || !client_->Pause(attempt, deadline_ns)) {
        return PutOutcome::kUnknown;
      }
    }
  }

  Status Put(std::string_view key, BytesView bytes) override {
    TL_TRY(CheckPutBytes(key, bytes));
    return PutWhole(*client_, key, bytes);
  }

  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view key) override {
    TL_TRY(CheckKey(key));
    return std::make_unique<S3ObjectWriter>(*client_, key);
  }

  Result<std::size_t> Read(std::string_view key, std::uint64_t offset,
                           std::span<std::byte> out) override {
    TL_TRY(CheckKey(key));
    if (out.empty()) {
      TL_TRY(Head(key));
      return std::size_t{0};
    }
    const S3Request request{
        .method = "GET",
        .key = std::string(key),
        .headers = {{"range", fmt::format("bytes={}-{}", offset, offset + out.size() - 1)}},
        .answer_bytes_max = out.size()};
    const auto answer = TL_TRY(client_->Send(request));
    if (answer.status == 416) return std::size_t{0};
    if (!IsSuccess(answer)) return client_->ErrorOf(request, answer);
    std::string_view body = answer.body;
    if (answer.status == 206) {
      if (RangeStart(answer.Find("content-range").value_or("")) != offset) {
        return DataLoss("object store: '{}' answered another range than the one from {}", key, offset);
      }
    } else {
      // The whole object: a server that takes no ranges.
      body.remove_prefix(static_cast<std::size_t>(std::min<std::uint64_t>(offset, body.size())));
      body = body.substr(0, out.size());
    }
    if (body.size() > out.size()) {
      return DataLoss("object store: '{}' answered {} bytes to a range of {}", key, body.size(), out.size());
    }
    if (!body.empty()) std::memcpy(out.data(), body.data(), body.size());
    return body.size();
  }

  Result<ObjectInfo> Head(std::string_view key) override {
    TL_TRY(CheckKey(key));
    const S3Request request{.method = "HEAD", .key = std::string(key)};
    const auto answer = TL_TRY(client_->Send(request));
    if (answer.status == 404) return NotFound("no object '{}'", key);
    if (!IsSuccess(answer)) return client_->ErrorOf(request, answer);
    const std::string_view length = answer.Find("content-length").value_or("");
    ObjectInfo info{.key = std::string(key)};
    const auto [end, error] =
        std::from_chars(length.data(), length.data() + length.size(), info.bytes);
    if (error != std::errc() || end != length.data() + length.size()) {
      return DataLoss("object store: HEAD of '{}' has the length '{}'", key, length);
    }
    return info;
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view start_after,
                                       std::size_t count_max) override {
    std::vector<ObjectInfo> objects;
    std::string token;
    while (objects.size() < count_max) {
      const std::size_t wanted = std::min(kListedAtOnceMax, count_max - objects.size());
      const bool more = TL_TRY(ListPage(prefix, start_after, wanted, &token, &objects));
      if (!more) break;
    }
    return objects;
  }

  Status Remove(std::string_view key) override {
    TL_TRY(CheckKey(key));
    const S3Request request{.method = "DELETE", .key = std::string(key)};
    const auto answer = TL_TRY(client_->Send(request));
    if (IsSuccess(answer) || answer.status == 404) return OkStatus();
    return client_->ErrorOf(request, answer);
  }

 private:
  // False at the end of the listing.
  Result<bool> ListPage(std::string_view prefix, std::string_view start_after, std::size_t wanted,
                        std::string* token, std::vector<ObjectInfo>* objects) {
    const std::string root = client_->options().prefix.empty() ? "" : client_->options().prefix + "/";
    S3Request request{.method = "GET"};
    // In the order in which they are signed.
    if (!token->empty()) request.query.emplace_back("continuation-token", *token);
    request.query.emplace_back("list-type", "2");
    request.query.emplace_back("max-keys", std::to_string(wanted));
    request.query.emplace_back("prefix", root + std::string(prefix));
    if (!start_after.empty() && token->empty()) {
      request.query.emplace_back("start-after", root + std::string(start_after));
    }
    const auto answer = TL_TRY(client_->Send(request));
    if (!IsSuccess(answer)) return client_->ErrorOf(request, answer);
    const XmlElement xml = TL_TRY(ParseXml(answer.body));
    if (xml.name != "ListBucketResult") {
      return DataLoss("object store: a listing answered <{}>", xml.name);
    }
    for (const XmlElement& element : xml.children) {
      if (element.name != "Contents") continue;
      ObjectInfo info;
      info.key = element.TextOf("Key");
      const std::string_view size = element.TextOf("Size");
      const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), info.bytes);
      if (error != std::errc() || end != size.data() + size.size() || !info.key.starts_with(root)) {
        return DataLoss("object store: a listing holds key '{}' of size '{}'", info.key, size);
      }
      info.key.erase(0, root.size());
      const std::string_view before = objects->empty() ? start_after : std::string_view(objects->back().key);
      if (!info.key.starts_with(prefix) || info.key <= before) {
        return DataLoss("object store: a listing of '{}' holds '{}' after '{}'", prefix, info.key, before);
      }
      objects->push_back(std::move(info));
    }
    if (xml.TextOf("IsTruncated") != "true") return false;
    *token = xml.TextOf("NextContinuationToken");
    if (token->empty()) return DataLoss("object store: a listing goes on without a token");
    return true;
  }

  const std::unique_ptr<S3Client> client_;
};

bool IsBucketName(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

}  // namespace

Status ParseS3Location(std::string_view text, S3Options* options) {
  constexpr std::string_view kScheme = "s3://";
  if (!text.starts_with(kScheme)) {
    return InvalidArgument("'{}' is not s3://BUCKET or s3://BUCKET/PREFIX", text);
  }
  std::string_view rest = text.substr(kScheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  options->bucket = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  options->prefix = rest;
  if (!IsBucketName(options->bucket)) {
    return InvalidArgument("'{}' names no bucket: 3 to 63 of [a-z0-9.-]", text);
  }
  if (options->prefix.empty()) return OkStatus();
  return CheckKey(options->prefix);
}

Result<std::unique_ptr<ObjectStore>> OpenS3ObjectStore(S3Options options) {
  if (!IsBucketName(options.bucket)) {
    return InvalidArgument("'{}' is no bucket name: 3 to 63 of [a-z0-9.-]", options.bucket);
  }
  if (!options.prefix.empty()) TL_TRY(CheckKey(options.prefix));
  if (options.access_key_id.empty() || options.secret_access_key.empty()) {
    return InvalidArgument(
        "the object store needs keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  if (options.part_bytes < kS3PartBytesMin || options.part_bytes > kS3PartBytesMax) {
    return InvalidArgument("part_bytes {} is not in [{}, {}]", options.part_bytes, kS3PartBytesMin,
                           kS3PartBytesMax);
  }
  if (options.attempts_max < 1 || options.connections_max < 1 || options.request_ns_max <= 0 ||
      options.call_ns_max <= 0 || options.pause_ns_min <= 0 ||
      options.pause_ns_max < options.pause_ns_min) {
    return InvalidArgument("a limit of the object store's options is not positive");
  }
  auto client = TL_TRY(S3Client::Make(std::move(options)));
  return std::make_unique<S3ObjectStore>(std::move(client));
}

}  // namespace tideline::objstore
