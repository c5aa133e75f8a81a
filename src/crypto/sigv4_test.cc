#include "crypto/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/encoding.h"

namespace tideline::crypto {
namespace {

using testing::HasSubstr;

// The credentials, date and scope of AWS's published test suite.
constexpr std::string_view kAccessKey = "AKIDEXAMPLE";
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kDate = "20150830";
constexpr std::string_view kAmzDate = "20150830T123600Z";

SigV4Signer MakeSigner(std::string service, std::string token = "") {
  return SigV4Signer({.access_key_id = std::string(kAccessKey),
                      .secret_access_key = std::string(kSecret),
                      .session_token = std::move(token),
                      .region = "us-east-1",
                      .service = service,
                      .send_payload_sha256 = service == "s3",
                      .encode_path = service != "s3"});
}

TimestampNs TestTime() { return *ParseAmzDate(kAmzDate); }

std::string AuthorizationOf(const std::vector<SigV4SignedHeader>& headers) {
  return headers.back().name == "authorization" ? headers.back().value : "";
}

TEST(SigV4Test, PublishedVectorVanilla) {
  const HttpField headers[] = {{"host", "example.amazonaws.com"}, {"x-amz-date", kAmzDate}};
  const std::string empty_hash = HexOf(Sha256Of(""));
  const SigV4Request request{.method = "GET",
                             .headers = headers,
                             .signed_headers = "host;x-amz-date",
                             .payload_sha256 = empty_hash};
  const std::string canonical = *SigV4CanonicalRequest(request);
  EXPECT_EQ(canonical,
            "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(SigV4StringToSign(kAmzDate, "20150830/us-east-1/service/aws4_request", canonical),
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
  EXPECT_EQ(*SigV4Signature(request, kSecret, kAmzDate, kDate, "us-east-1", "service"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SigV4Test, PublishedSigningKey) {
  EXPECT_EQ(HexOf(SigV4SigningKey(kSecret, kDate, "us-east-1", "iam")),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

// Signatures below are what botocore 1.43 produces for the same requests.
TEST(SigV4Test, SignerAgreesWithBotocore) {
  const HttpField post[] = {{"content-type", "application/x-amz-json-1.0"},
                            {"host", "127.0.0.1:8433"},
                            {"x-amz-target", "Timestream_20181101.WriteRecords"}};
  EXPECT_EQ(
      AuthorizationOf(*MakeSigner("timestream")
                           .Sign("POST", "/", "", post, HexOf(Sha256Of("{\"A\":1}")), TestTime())),
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/timestream/aws4_request, "
      "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
      "Signature=a51ed1e4ff124882669aa729fd45c2dead9b05ff43f435e24e2730ae4242aaec");
  EXPECT_THAT(AuthorizationOf(*MakeSigner("timestream", "TOKEN123")
                                   .Sign("POST", "/", "", std::span(post).first(2),
                                         HexOf(Sha256Of("{}")), TestTime())),
              HasSubstr("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
                        "Signature="
                        "294f407993c51f84dbec0bc02590a0577d552223e3f9f352c3e8e7d6e8b5d80c"));
}

TEST(SigV4Test, PathAndQueryAgreeWithBotocore) {
  const HttpField get[] = {{"host", "example.amazonaws.com"}};
  EXPECT_THAT(
      AuthorizationOf(*MakeSigner("service").Sign("GET", "/a%20b/../c/./d/", "b=2&a=1&a=0&c", get,
                                                  HexOf(Sha256Of("")), TestTime())),
      HasSubstr("2365d99d8798b2727afe95bc1b3607dcc25df4abf4c2df60fc32bbb76d2a8120"));
  const HttpField put[] = {{"host", "localhost:9000"}};
  EXPECT_THAT(AuthorizationOf(*MakeSigner("s3").Sign("PUT", "/bucket/a%20b//c", "x=%2F&list-type=2",
                                                     put, HexOf(Sha256Of("data")), TestTime())),
              HasSubstr("e3616f83e41139e86220ef742fe5f09bfffafa1534408ff231afb5aa4138c826"));
}

TEST(SigV4Test, CanonicalPathsQueriesAndValues) {
  const auto canonical = [](std::string_view path, std::string_view query,
                            std::span<const HttpField> headers, std::string_view names) {
    return *SigV4CanonicalRequest({.method = "GET",
                                   .path = path,
                                   .query = query,
                                   .headers = headers,
                                   .signed_headers = names,
                                   .payload_sha256 = "x"});
  };
  EXPECT_EQ(canonical("//example//", "", {}, ""), "GET\n/example/\n\n\n\nx");
  EXPECT_EQ(canonical("/a/..", "", {}, ""), "GET\n/\n\n\n\nx");
  EXPECT_EQ(canonical("/../../a", "", {}, ""), "GET\n/a\n\n\n\nx");
  EXPECT_EQ(canonical("/\xe1\x88\xb4", "", {}, ""), "GET\n/%E1%88%B4\n\n\n\nx");
  EXPECT_EQ(canonical("/", "b=%7e&a&&%zz=%2&%4", {}, ""), "GET\n/\n%254=&%25zz=%252&a=&b=~\n\n\nx");
  const HttpField headers[] = {{"my-header", "  a   b\t c  "}, {"other", "z"}, {"my-header", "d"}};
  EXPECT_EQ(canonical("/", "", headers, "my-header"),
            "GET\n/\n\nmy-header:a b c,d\n\nmy-header\nx");
}

TEST(SigV4Test, VerifiesWhatItSigns) {
  std::vector<HttpField> fields = {{"content-type", "application/x-amz-json-1.0"},
                                   {"host", "localhost:8433"}};
  const std::string hash = HexOf(Sha256Of("body"));
  const auto added = *MakeSigner("timestream").Sign("POST", "/", "", fields, hash, TestTime());
  for (const auto& header : added) fields.push_back({header.name, header.value});
  fields.push_back({"user-agent", "not signed"});
  const std::string header_text = AuthorizationOf(added);
  const SigV4Authorization authorization = *ParseSigV4Authorization(header_text);
  EXPECT_EQ(authorization.access_key_id, kAccessKey);
  EXPECT_EQ(authorization.date, kDate);
  EXPECT_EQ(authorization.region, "us-east-1");
  EXPECT_EQ(authorization.service, "timestream");
  EXPECT_EQ(authorization.scope, "20150830/us-east-1/timestream/aws4_request");
  EXPECT_EQ(authorization.signed_headers, "content-type;host;x-amz-date");
  SigV4Request request{.method = "POST", .headers = fields, .payload_sha256 = hash};
  EXPECT_TRUE(VerifySigV4(request, authorization, kAmzDate, kSecret).ok());

  EXPECT_EQ(CodeOf(VerifySigV4(request, authorization, kAmzDate, "other secret")),
            ErrorCode::kUnauthenticated);
  EXPECT_EQ(CodeOf(VerifySigV4(request, authorization, "20150830T123601Z", kSecret)),
            ErrorCode::kUnauthenticated);
  const std::string other_hash = HexOf(Sha256Of("other"));
  request.payload_sha256 = other_hash;
  EXPECT_EQ(CodeOf(VerifySigV4(request, authorization, kAmzDate, kSecret)),
            ErrorCode::kUnauthenticated);
  request.payload_sha256 = hash;
  request.method = "GET";
  EXPECT_FALSE(VerifySigV4(request, authorization, kAmzDate, kSecret).ok());
  request.method = "POST";
  fields[0].value = "text/plain";
  EXPECT_FALSE(VerifySigV4(request, authorization, kAmzDate, kSecret).ok());
  fields[0].name = "content-kind";
  const Status missing = VerifySigV4(request, authorization, kAmzDate, kSecret);
  EXPECT_EQ(CodeOf(missing), ErrorCode::kInvalidArgument);
  EXPECT_THAT(std::string(MessageOf(missing)), HasSubstr("content-type"));
}

TEST(SigV4Test, KeyCacheKeepsKeysApart) {
  for (int round = 0; round < 2; ++round) {
    for (int key = 0; key < 1000; ++key) {
      const std::string secret = "secret" + std::to_string(key);
      const std::string start = "AWS4" + secret;
      Sha256Digest expected = HmacSha256(AsBytes(start), kDate);
      for (const char* part : {"r", "s", "aws4_request"}) expected = HmacSha256(expected, part);
      ASSERT_EQ(SigV4SigningKey(secret, kDate, "r", "s"), expected);
    }
  }
}

TEST(SigV4Test, SignerWantsHost) {
  EXPECT_FALSE(MakeSigner("timestream").Sign("POST", "/", "", {}, "x", TestTime()).ok());
}

TEST(SigV4AuthorizationTest, ErrorsNameWhatIsWrong) {
  const std::string signature(64, 'a');
  const std::string credential = "Credential=A/20150830/r/s/aws4_request";
  const std::pair<std::string, std::string> cases[] = {
      {"", "does not begin with"},
      {"Bearer abc", "does not begin with"},
      {"AWS4-HMAC-SHA256x", "does not begin with"},
      {"AWS4-HMAC-SHA256",
       "requires 'Credential' parameter. Authorization header requires "
       "'Signature' parameter. Authorization header requires 'SignedHeaders'"},
      {"AWS4-HMAC-SHA256 SignedHeaders=host, Signature=" + signature, "requires 'Credential'"},
      {"AWS4-HMAC-SHA256 " + credential + ", Signature=" + signature, "requires 'SignedHeaders'"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=host", "requires 'Signature'"},
      {"AWS4-HMAC-SHA256 " + credential + ", " + credential, "repeats the 'Credential'"},
      {"AWS4-HMAC-SHA256 " + credential + ", junk", "not name=value"},
      {"AWS4-HMAC-SHA256 " + credential + ", Colour=red", "unknown parameter 'Colour'"},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s, SignedHeaders=h, Signature=" + signature,
       "5 slash-delimited elements"},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request/x, SignedHeaders=h, Signature=" +
           signature,
       "5 slash-delimited elements"},
      {"AWS4-HMAC-SHA256 Credential=/20150830/r/s/aws4_request, SignedHeaders=h, Signature=" +
           signature,
       "5 slash-delimited elements"},
      {"AWS4-HMAC-SHA256 Credential=A/2015083/r/s/aws4_request, SignedHeaders=h, Signature=" +
           signature,
       "eight digits"},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws3, SignedHeaders=h, Signature=" + signature,
       "valid terminator"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=Host, Signature=" + signature,
       "lower-case"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=a;;b, Signature=" + signature,
       "joined by ';'"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=h, Signature=abc", "64 lower-case hex"},
  };
  for (const auto& [header, text] : cases) {
    const Result<SigV4Authorization> parsed = ParseSigV4Authorization(header);
    ASSERT_EQ(CodeOf(parsed.status()), ErrorCode::kInvalidArgument) << header;
    EXPECT_THAT(std::string(MessageOf(parsed.status())), HasSubstr(text)) << header;
    EXPECT_THAT(std::string(MessageOf(parsed.status())), testing::Not(HasSubstr(signature)));
  }
}

TEST(SigV4AuthorizationTest, AcceptsEveryClientsSpacing) {
  const std::string signature(64, 'a');
  for (const char* separator : {", ", ",", " ,  "}) {
    const std::string header = std::string("AWS4-HMAC-SHA256 SignedHeaders=a;b") + separator +
                               "Signature=" + signature + separator +
                               "Credential=A/20150830/eu-central-1/timestream/aws4_request ";
    const Result<SigV4Authorization> parsed = ParseSigV4Authorization(header);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->region, "eu-central-1");
    EXPECT_EQ(parsed->signature, signature);
  }
}

TEST(AmzDateTest, RoundTripsAndRefuses) {
  EXPECT_EQ(ParseAmzDate("19700101T000000Z")->value, 0);
  EXPECT_EQ(ParseAmzDate(kAmzDate)->value, 1'440'938'160 * kNsPerSecond);
  EXPECT_EQ(FormatAmzDate({1'440'938'160 * kNsPerSecond + 999}), kAmzDate);
  for (const char* bad :
       {"", "20150830T123600", "20151330T123600Z", "20150230T123600Z", "20150830T240000Z",
        "2015-08-30T12:36Z", "20150830 123600Z", "99990101T000000Z", "20150830T1236a0Z"}) {
    EXPECT_FALSE(ParseAmzDate(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace tideline::crypto
