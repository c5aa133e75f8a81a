#include "service/auth/authenticator.h"

#include <gtest/gtest.h>

#include <vector>

namespace tideline::auth {
namespace {

class AuthenticatorTest : public testing::Test {
 protected:
  // A signed request to "/", kept alive by the fixture.
  void Sign(std::string_view body, std::string secret = "secret", std::string service = "timestream") {
    crypto::SigV4SignerOptions options;
    options.access_key_id = "AKID";
    options.secret_access_key = std::move(secret);
    options.region = "eu-west-1";
    options.service = std::move(service);
    const crypto::SigV4Signer signer(options);
    digest_ = crypto::Sha256Of(body);
    headers_ = {{"host", "localhost:8433"}};
    const auto added = signer.Sign("POST", "/", "", headers_, Hex(), clock_.WallNow());
    ASSERT_TRUE(added.ok());
    added_ = *added;
    for (const auto& header : added_) headers_.push_back({header.name, header.value});
  }
  std::string Hex() const {
    std::string hex;
    for (const std::byte byte : digest_) hex += fmt::format("{:02x}", static_cast<unsigned>(byte));
    return hex;
  }
  std::variant<Identity, AuthFailure> Check(AuthOptions options = {}) {
    return Authenticator(keys_, clock_, std::move(options))
        .Authenticate({"POST", "/", "", headers_, digest_});
  }
  AuthFailureKind KindOf(const std::variant<Identity, AuthFailure>& outcome) {
    return std::get<AuthFailure>(outcome).kind;
  }

  ManualClock clock_{{1'700'000'000 * kNsPerSecond}};
  SingleKeyStore keys_{{"AKID", "secret", "arn:aws:iam::000000000000:root"}};
  crypto::Sha256Digest digest_{};
  std::vector<crypto::SigV4SignedHeader> added_;
  std::vector<crypto::HttpField> headers_;
};

TEST_F(AuthenticatorTest, AcceptsWhatItsOwnKeySigned) {
  Sign("{}");
  const auto outcome = Check();
  ASSERT_TRUE(std::holds_alternative<Identity>(outcome)) << std::get<AuthFailure>(outcome).message;
  EXPECT_EQ(std::get<Identity>(outcome).region, "eu-west-1");
}

TEST_F(AuthenticatorTest, RefusesAnotherBody) {
  Sign("{}");
  digest_ = crypto::Sha256Of("{ }");
  EXPECT_EQ(KindOf(Check()), AuthFailureKind::kInvalidSignature);
}

TEST_F(AuthenticatorTest, RefusesAnotherSecret) {
  Sign("{}", "other");
  EXPECT_EQ(KindOf(Check()), AuthFailureKind::kInvalidSignature);
}

TEST_F(AuthenticatorTest, RefusesAnotherService) {
  Sign("{}", "secret", "dynamodb");
  EXPECT_EQ(KindOf(Check()), AuthFailureKind::kInvalidSignature);
}

TEST_F(AuthenticatorTest, RefusesUnknownKey) {
  Sign("{}");
  keys_ = SingleKeyStore({"OTHER", "secret", "arn"});
  EXPECT_EQ(KindOf(Check()), AuthFailureKind::kUnrecognizedClient);
}

TEST_F(AuthenticatorTest, RefusesOutsideTheClockWindow) {
  Sign("{}");
  clock_.Advance(16 * kNsPerMinute);
  const auto late = Check();
  EXPECT_EQ(KindOf(late), AuthFailureKind::kInvalidSignature);
  EXPECT_NE(std::get<AuthFailure>(late).message.find("Signature expired: 20231114T221320Z"),
            std::string::npos);
  clock_.SetWall({clock_.WallNow().value - 60 * kNsPerMinute});
  EXPECT_EQ(std::get<AuthFailure>(Check()).message.substr(0, 25), "Signature not yet current");
}

TEST_F(AuthenticatorTest, NamesWhatIsMissing) {
  EXPECT_EQ(KindOf(Check()), AuthFailureKind::kMissingToken);
  headers_ = {{"authorization", "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00"}};
  EXPECT_EQ(KindOf(Check()), AuthFailureKind::kIncompleteSignature);
}

TEST_F(AuthenticatorTest, DevelopmentModeAcceptsAnyone) {
  AuthOptions options;
  options.accept_anyone = true;
  headers_.clear();
  EXPECT_EQ(std::get<Identity>(Check(options)).region, "us-east-1");
  Sign("{}", "whatever");
  EXPECT_EQ(std::get<Identity>(Check(options)).region, "eu-west-1");
}

}  // namespace
}  // namespace tideline::auth
