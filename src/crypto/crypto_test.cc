#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/random.h"
#include "crypto/aead.h"
#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/random_bytes.h"
#include "crypto/sha256.h"

namespace tideline::crypto {
namespace {

TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(HexOf(Sha256Of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(Sha256Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, PiecesEqualTheWhole) {
  Random random(1);
  const std::string text = random.Text(100'000, "abcdefgh");
  Sha256 hash;
  for (int round = 0; round < 3; ++round) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t count = std::min<std::size_t>(rest.size(), random.Below(9000));
      hash.Update(rest.substr(0, count));
      rest.remove_prefix(count);
    }
    EXPECT_EQ(hash.Finish(), Sha256Of(text));
  }
  hash.Update("dropped");
  hash.Reset();
  hash.Update("abc");
  Sha256 moved = std::move(hash);
  EXPECT_EQ(moved.Finish(), Sha256Of("abc"));
}

TEST(Sha256Test, HmacKnownAnswers) {  // RFC 4231, cases 2 and 6
  EXPECT_EQ(HexOf(HmacSha256(AsBytes("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const Bytes long_key(131, std::byte{0xaa});
  EXPECT_EQ(HexOf(HmacSha256(long_key, "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Sha256Test, HkdfKnownAnswers) {  // RFC 5869, cases 1 and 3
  const Bytes secret(22, std::byte{0x0b});
  const Bytes salt = *ParseHex("000102030405060708090a0b0c");
  const Bytes info = *ParseHex("f0f1f2f3f4f5f6f7f8f9");
  EXPECT_EQ(HexOf(HkdfSha256(secret, salt, AsText(info), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(HexOf(HkdfSha256(secret, {}, "", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  EXPECT_EQ(HkdfSha256(secret, {}, "", kHkdfBytesMax).size(), kHkdfBytesMax);
}

TEST(EncodingTest, HexRoundTripsAndRefuses) {
  EXPECT_EQ(HexOf(AsBytes(std::string_view("\x00\xff\x10", 3))), "00ff10");
  EXPECT_EQ(HexOf(*ParseHex("00FfAb")), "00ffab");
  EXPECT_FALSE(ParseHex("0").ok());
  EXPECT_FALSE(ParseHex("0g").ok());
}

TEST(EncodingTest, Base64KnownAnswers) {  // RFC 4648 section 10
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : cases) {
    EXPECT_EQ(Base64Of(AsBytes(plain)), text);
    EXPECT_EQ(AsText(*ParseBase64(text)), plain);
  }
  for (const char* bad : {"Z", "Zg=", "Zh==", "Zg=a", "====", "Zm9v\n", "Zm 9", "Z==="}) {
    EXPECT_FALSE(ParseBase64(bad).ok()) << bad;
  }
}

TEST(AeadTest, KnownAnswer) {  // "The Galois/Counter Mode of Operation", test case 14
  const AeadKey key{};
  const AeadNonce nonce{};
  const Bytes plain(16);
  Bytes sealed(32);
  AeadSeal(key, nonce, {}, plain, sealed);
  EXPECT_EQ(HexOf(sealed), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(AeadTest, RoundTripsAndNoticesEveryChange) {
  const AeadKey key = RandomBytes<kAeadKeyBytes>();
  const AeadNonce nonce = RandomBytes<kAeadNonceBytes>();
  for (const std::size_t size : {0, 1, 15, 16, 17, 4096}) {
    Bytes plain(size);
    FillRandom(plain);
    Bytes sealed(size + kAeadTagBytes);
    AeadSeal(key, nonce, AsBytes("page 7"), plain, sealed);
    Bytes opened(size);
    ASSERT_TRUE(AeadOpen(key, nonce, AsBytes("page 7"), sealed, opened).ok());
    EXPECT_EQ(opened, plain);
    EXPECT_EQ(CodeOf(AeadOpen(key, nonce, AsBytes("page 8"), sealed, opened)),
              ErrorCode::kDataLoss);
    EXPECT_EQ(opened, Bytes(size));
    for (std::size_t at = 0; at < sealed.size(); at += 13) {
      Bytes changed = sealed;
      changed[at] ^= std::byte{1};
      EXPECT_EQ(CodeOf(AeadOpen(key, nonce, AsBytes("page 7"), changed, opened)),
                ErrorCode::kDataLoss);
    }
    AeadKey other = key;
    other[31] ^= std::byte{128};
    EXPECT_FALSE(AeadOpen(other, nonce, AsBytes("page 7"), sealed, opened).ok());
    // In place, as page writers do it.
    Bytes buffer = plain;
    buffer.resize(size + kAeadTagBytes);
    AeadSeal(key, nonce, AsBytes("page 7"), BytesView(buffer).first(size), buffer);
    EXPECT_EQ(buffer, sealed);
  }
  Bytes none;
  EXPECT_EQ(CodeOf(AeadOpen(key, nonce, {}, Bytes(15), none)), ErrorCode::kDataLoss);
}

TEST(RandomBytesTest, Differs) { EXPECT_NE(RandomBytes<32>(), RandomBytes<32>()); }

TEST(CertificateTest, NamesHostsAndSignsItself) {
  const std::vector<std::string> hosts = {"db.example.org", "*.example.org", "192.0.2.7",
                                          "2001:db8::7", "localhost"};
  const Result<CertificateAndKey> made =
      MakeSelfSignedCertificate(hosts, TimestampNs{1'700'000'000 * kNsPerSecond});
  ASSERT_TRUE(made.ok()) << made.status();
  BIO* bio = BIO_new_mem_buf(made->certificate_pem.data(), -1);
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  ASSERT_NE(certificate, nullptr);
  BIO* key_bio = BIO_new_mem_buf(made->private_key_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
  BIO_free(key_bio);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(X509_check_private_key(certificate, key), 1);
  EXPECT_EQ(X509_verify(certificate, key), 1);
  for (const char* host : {"localhost", "db.example.org", "other.example.org"}) {
    EXPECT_EQ(X509_check_host(certificate, host, 0, 0, nullptr), 1) << host;
  }
  EXPECT_EQ(X509_check_host(certificate, "example.com", 0, 0, nullptr), 0);
  for (const char* address : {"127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"}) {
    EXPECT_EQ(X509_check_ip_asc(certificate, address, 0), 1) << address;
  }
  EVP_PKEY_free(key);
  X509_free(certificate);
}

TEST(CertificateTest, RefusesWhatIsNoHost) {
  for (const char* bad : {"", "a b", "a,DNS:b", "a\nb", "x/y", "1.2.3.4:5"}) {
    const std::vector<std::string> hosts = {bad};
    EXPECT_EQ(CodeOf(MakeSelfSignedCertificate(hosts, {}).status()), ErrorCode::kInvalidArgument)
        << bad;
  }
  const std::vector<std::string> many(kCertificateHostsMax + 1, "a");
  EXPECT_FALSE(MakeSelfSignedCertificate(many, {}).ok());
}

}  // namespace
}  // namespace tideline::crypto
