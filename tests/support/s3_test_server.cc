#include "tests/support/s3_test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

#include "base/check.h"
#include "crypto/encoding.h"
#include "crypto/sha256.h"
#include "crypto/sigv4.h"
#include "storage/objstore/xml.h"

namespace tideline::testing {
namespace {

constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kBodyBytesMax = std::size_t{300} << 20;
constexpr std::size_t kListedMax = 100'000;

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      unsigned value = 0;
      std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      out.push_back(static_cast<char>(value));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string EtagOf(BytesView bytes) {
  const crypto::Sha256Digest digest = crypto::Sha256Of(bytes);
  return "\"" + crypto::HexOf(BytesView(digest).first(16)) + "\"";
}

void SendAll(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void WaitForPeer(int socket) {
  pollfd waiting{socket, POLLIN | POLLRDHUP, 0};
  ::poll(&waiting, 1, 60'000);
}

}  // namespace

struct S3TestServer::Request {
  std::string method;
  std::string path;   // before '?'
  std::string query;  // as sent
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::map<std::string, std::string> arguments;
  std::string key;  // without the bucket
  std::string body;

  std::string_view Header(std::string_view name) const {
    for (const auto& [each, value] : headers) {
      if (each == name) return value;
    }
    return {};
  }
  std::string Argument(const std::string& name) const {
    const auto found = arguments.find(name);
    return found == arguments.end() ? std::string() : found->second;
  }
};

struct S3TestServer::Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::uint64_t head_length = 0;  // Content-Length of an answer to HEAD

  static Answer Error(int status, std::string_view code) {
    return {.status = status,
            .body = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code>"
                                "<Message>made by a test</Message></Error>",
                                code)};
  }
};

S3TestServer::S3TestServer(objstore::ObjectStore& backing, S3TestServerOptions options)
    : backing_(backing), options_(std::move(options)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  TL_CHECK(listener_ >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  TL_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  TL_CHECK(::listen(listener_, 128) == 0);
  socklen_t size = sizeof(address);
  TL_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

S3TestServer::~S3TestServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

std::string S3TestServer::endpoint() const { return fmt::format("http://127.0.0.1:{}", port_); }

void S3TestServer::AddFault(S3FaultOrder order) {
  MutexLock lock(mutex_);
  orders_.push_back(std::move(order));
}

void S3TestServer::SetChaos(double chance, std::vector<S3Fault> kinds, std::uint64_t seed) {
  MutexLock lock(mutex_);
  chance_ = chance;
  chaos_ = std::move(kinds);
  random_ = Random(seed);
}

void S3TestServer::ClearFaults() {
  MutexLock lock(mutex_);
  orders_.clear();
  chance_ = 0;
}

std::size_t S3TestServer::open_upload_count() {
  MutexLock lock(mutex_);
  return uploads_.size();
}

void S3TestServer::Accept() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    ++connection_count_;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    MutexLock lock(mutex_);
    sockets_.insert(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void S3TestServer::Serve(int socket) {
  std::string buffer;
  while (!stopping_ && ServeOne(socket, &buffer)) {
  }
  MutexLock lock(mutex_);
  sockets_.erase(socket);
  ::close(socket);
}

bool S3TestServer::DrawFault(const Request& request, S3Fault* kind) {
  MutexLock lock(mutex_);
  for (auto at = orders_.begin(); at != orders_.end(); ++at) {
    if (!at->method.empty() && at->method != request.method) continue;
    if ((request.path + "?" + request.query).find(at->key_part) == std::string::npos) continue;
    if (at->skip > 0) {
      --at->skip;
      continue;
    }
    *kind = at->kind;
    if (--at->count == 0) orders_.erase(at);
    return true;
  }
  if (chance_ == 0 || random_.NextDouble() >= chance_) return false;
  *kind = chaos_[random_.Below(chaos_.size())];
  // A conflict is an answer to a write.
  if (*kind == S3Fault::kStatus409 && request.method != "PUT") *kind = S3Fault::kStatus503;
  return true;
}

// Reads one request and answers it; false when the connection is over.
bool S3TestServer::ServeOne(int socket, std::string* buffer) {
  std::size_t head_end = 0;
  char chunk[64 * 1024];
  const auto receive = [&] {
    const ssize_t count = ::recv(socket, chunk, sizeof(chunk), 0);
    if (count <= 0) return false;
    buffer->append(chunk, static_cast<std::size_t>(count));
    return true;
  };
  while ((head_end = buffer->find("\r\n\r\n")) == std::string::npos) {
    if (buffer->size() > kHeadBytesMax || !receive()) return false;
  }
  Request request;
  std::string_view head = std::string_view(*buffer).substr(0, head_end);
  const std::string_view line = head.substr(0, head.find("\r\n"));
  request.method = line.substr(0, line.find(' '));
  std::string_view target = line.substr(std::min(request.method.size() + 1, line.size()));
  target = target.substr(0, target.find(' '));
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  head.remove_prefix(std::min(line.size() + 2, head.size()));
  while (!head.empty()) {
    const std::string_view field = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(field.size() + 2, head.size()));
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) return false;
    std::string name(field.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string_view value = field.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    request.headers.emplace_back(std::move(name), value);
  }
  std::size_t body_bytes = 0;
  const std::string_view length = request.Header("content-length");
  std::from_chars(length.data(), length.data() + length.size(), body_bytes);
  if (body_bytes > kBodyBytesMax) return false;
  buffer->erase(0, head_end + 4);
  while (buffer->size() < body_bytes) {
    if (!receive()) return false;
  }
  request.body = buffer->substr(0, body_bytes);
  buffer->erase(0, body_bytes);
  for (std::string_view rest = request.query; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    request.arguments[PercentDecode(part.substr(0, equals))] =
        PercentDecode(part.substr(std::min(equals + 1, part.size())));
  }
  const std::string root = "/" + options_.bucket + "/";
  if (request.path.starts_with(root)) request.key = PercentDecode(request.path.substr(root.size()));
  ++request_count_;

  S3Fault fault = S3Fault::kStatus500;
  const bool strikes = DrawFault(request, &fault);
  if (strikes) ++fault_count_;
  Answer answer;
  if (strikes && fault == S3Fault::kLoseAnswerBefore) return false;
  if (strikes && fault == S3Fault::kStatus500) {
    answer = Answer::Error(500, "InternalError");
  } else if (strikes && fault == S3Fault::kStatus503) {
    answer = Answer::Error(503, "SlowDown");
  } else if (strikes && fault == S3Fault::kStatus409) {
    answer = Answer::Error(409, "ConditionalRequestConflict");
  } else {
    answer = Do(request);
    if (strikes && fault == S3Fault::kStatus500After) answer = Answer::Error(500, "InternalError");
  }
  if (strikes && fault == S3Fault::kLoseAnswerAfter) return false;
  if (strikes && fault == S3Fault::kReset) {
    const linger now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    return false;
  }
  if (strikes && fault == S3Fault::kStall) {
    WaitForPeer(socket);
    return false;
  }
  const bool to_head = request.method == "HEAD";
  std::string text = fmt::format("HTTP/1.1 {} Status\r\n", answer.status);
  for (const auto& [name, value] : answer.headers) text += fmt::format("{}: {}\r\n", name, value);
  text += fmt::format("Content-Length: {}\r\n\r\n",
                      to_head ? answer.head_length : answer.body.size());
  if (!to_head) text += answer.body;
  if (strikes && fault == S3Fault::kTruncate) {
    SendAll(socket, std::string_view(text).substr(0, text.size() - std::min(text.size() / 2, answer.body.size() / 2 + 3)));
    return false;
  }
  SendAll(socket, text);
  return true;
}

S3TestServer::Answer S3TestServer::Do(const Request& request) {
  const auto authorization = crypto::ParseSigV4Authorization(request.Header("authorization"));
  if (!authorization.ok() || authorization->access_key_id != options_.access_key_id) {
    return Answer::Error(403, "InvalidAccessKeyId");
  }
  std::vector<crypto::HttpField> fields;
  for (const auto& [name, value] : request.headers) fields.push_back({name, value});
  const std::string digest = crypto::HexOf(crypto::Sha256Of(request.body));
  if (request.Header("x-amz-content-sha256") != digest) {
    return Answer::Error(400, "XAmzContentSHA256Mismatch");
  }
  const Status signature = crypto::VerifySigV4({.method = request.method,
                                                .path = request.path,
                                                .query = request.query,
                                                .headers = fields,
                                                .payload_sha256 = digest,
                                                .encode_path = false},
                                               *authorization, request.Header("x-amz-date"),
                                               options_.secret_access_key);
  if (!signature.ok()) return Answer::Error(403, "SignatureDoesNotMatch");
  const std::string root = "/" + options_.bucket;
  if (!(request.path + "/").starts_with(root + "/")) return Answer::Error(404, "NoSuchBucket");
  if (request.key.empty()) {
    return request.method == "GET" ? DoList(request) : Answer::Error(405, "MethodNotAllowed");
  }
  if (request.method == "PUT") return DoPut(request);
  if (request.method == "GET" || request.method == "HEAD") return DoGet(request);
  if (request.method == "POST") return DoPost(request);
  if (request.method != "DELETE") return Answer::Error(405, "MethodNotAllowed");
  if (request.arguments.contains("uploadId")) {
    MutexLock lock(mutex_);
    uploads_.erase(request.Argument("uploadId"));
    return {.status = 204};
  }
  const Status removed = backing_.Remove(request.key);
  return removed.ok() ? Answer{.status = 204} : Answer::Error(500, "InternalError");
}

S3TestServer::Answer S3TestServer::DoPut(const Request& request) {
  const BytesView body = AsBytes(request.body);
  if (request.arguments.contains("uploadId")) {
    MutexLock lock(mutex_);
    const auto upload = uploads_.find(request.Argument("uploadId"));
    if (upload == uploads_.end()) return Answer::Error(404, "NoSuchUpload");
    upload->second.parts[std::atoi(request.Argument("partNumber").c_str())] =
        Bytes(body.begin(), body.end());
    return {.headers = {{"ETag", EtagOf(body)}}};
  }
  const bool conditional = request.Header("if-none-match") == "*" && options_.keeps_conditions;
  if (conditional && options_.creates_in_two_steps) {
    if (backing_.Head(request.key).ok()) return Answer::Error(412, "PreconditionFailed");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  } else if (conditional) {
    const auto outcome = backing_.PutIfAbsent(request.key, body);
    if (!outcome.ok()) return Answer::Error(500, "InternalError");
    if (*outcome == objstore::PutOutcome::kExists) return Answer::Error(412, "PreconditionFailed");
    return {.headers = {{"ETag", EtagOf(body)}}};
  }
  const Status put = backing_.Put(request.key, body);
  if (!put.ok()) return Answer::Error(500, "InternalError");
  return {.headers = {{"ETag", EtagOf(body)}}};
}

S3TestServer::Answer S3TestServer::DoGet(const Request& request) {
  const auto info = backing_.Head(request.key);
  if (!info.ok()) return Answer::Error(404, "NoSuchKey");
  if (request.method == "HEAD") return {.head_length = info->bytes};
  std::uint64_t begin = 0;
  std::uint64_t end = info->bytes;
  const std::string_view range = request.Header("range");
  const bool ranged = range.starts_with("bytes=") && options_.keeps_ranges;
  if (ranged) {
    const std::string_view numbers = range.substr(6);
    const std::size_t dash = numbers.find('-');
    std::uint64_t last = 0;
    std::from_chars(numbers.data(), numbers.data() + dash, begin);
    std::from_chars(numbers.data() + dash + 1, numbers.data() + numbers.size(), last);
    if (begin >= info->bytes) return Answer::Error(416, "InvalidRange");
    end = std::min(info->bytes, last + 1);
  }
  const auto bytes = backing_.Get(request.key, begin, static_cast<std::size_t>(end - begin));
  if (!bytes.ok()) return Answer::Error(404, "NoSuchKey");
  Answer answer{.status = ranged ? 206 : 200, .body = std::string(AsText(*bytes))};
  if (ranged) {
    answer.headers.emplace_back("Content-Range",
                                fmt::format("bytes {}-{}/{}", begin, end - 1, info->bytes));
  }
  return answer;
}

S3TestServer::Answer S3TestServer::DoList(const Request& request) {
  std::size_t wanted = 1000;
  const std::string asked = request.Argument("max-keys");
  std::from_chars(asked.data(), asked.data() + asked.size(), wanted);
  wanted = std::min({wanted, std::size_t{1000}, options_.list_page_max});
  std::string after = request.Argument("start-after");
  if (request.arguments.contains("continuation-token")) {
    after = request.Argument("continuation-token").substr(6);
  }
  const auto listed = backing_.List(request.Argument("prefix"), after, kListedMax);
  if (!listed.ok()) return Answer::Error(400, "InvalidArgument");
  const bool truncated = listed->size() > wanted;
  std::string body =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < std::min(wanted, listed->size()); ++i) {
    body += fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>",
                        objstore::EscapeXml((*listed)[i].key), (*listed)[i].bytes);
  }
  body += fmt::format("<IsTruncated>{}</IsTruncated>", truncated);
  if (truncated) {
    body += fmt::format("<NextContinuationToken>token={}</NextContinuationToken>",
                        objstore::EscapeXml((*listed)[wanted - 1].key));
  }
  return {.body = body + "</ListBucketResult>"};
}

S3TestServer::Answer S3TestServer::DoPost(const Request& request) {
  MutexLock lock(mutex_);
  if (request.arguments.contains("uploads")) {
    const std::string id = fmt::format("upload {}&", next_upload_++);
    uploads_[id].key = request.key;
    return {.body = fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                                "</InitiateMultipartUploadResult>",
                                objstore::EscapeXml(id))};
  }
  const auto upload = uploads_.find(request.Argument("uploadId"));
  if (upload == uploads_.end()) return Answer::Error(404, "NoSuchUpload");
  const auto xml = objstore::ParseXml(request.body);
  if (!xml.ok()) return Answer::Error(400, "MalformedXML");
  auto writer = backing_.Create(upload->second.key);
  if (!writer.ok()) return Answer::Error(500, "InternalError");
  for (const objstore::XmlElement& part : xml->children) {
    const auto found =
        upload->second.parts.find(std::atoi(std::string(part.TextOf("PartNumber")).c_str()));
    if (found == upload->second.parts.end() || part.TextOf("ETag") != EtagOf(found->second)) {
      return Answer::Error(400, "InvalidPart");
    }
    if (!(*writer)->Append(found->second).ok()) return Answer::Error(500, "InternalError");
  }
  const auto committed = (*writer)->Commit();
  if (!committed.ok()) return Answer::Error(500, "InternalError");
  uploads_.erase(upload);
  return {.body = "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>"};
}

}  // namespace tideline::testing
