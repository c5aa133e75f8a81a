// Keys on a simulated disk: what is stored, what is refused, what a power cut leaves.
#include "storage/seal/key_ring.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "crypto/sha256.h"
#include "storage/seal/ephemeral_sealer.h"
#include "storage/seal/local_key_file.h"
#include "tests/support/sim_file_system.h"

namespace tideline::seal {
namespace {

using tideline::testing::Keep;
using tideline::testing::SimFileSystem;

constexpr const char* kKeyPath = "db/master-key";
constexpr const char* kRing = "db/keys";

Uuid SomeUuid(std::uint64_t seed) {
  Random random(seed);
  return MakeUuid(random);
}

FileIdentity FileUnder(const KeyId& key, std::uint64_t seed) {
  return {.file_uuid = SomeUuid(seed), .type = FileType::kSegment, .format_version = 1, .key_id = key};
}

Bytes Sealed(const FileSealer& file, std::uint64_t page, std::string_view text) {
  Bytes bytes(AsBytes(text).begin(), AsBytes(text).end());
  bytes.resize(bytes.size() + file.overhead_bytes());
  EXPECT_TRUE(file.SealPage(page, bytes).ok());
  return bytes;
}

class KeyRingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::CreateDirectories(disk_, "db").ok());
    file_ = *LocalKeyFile::Create(disk_, kKeyPath);
    ring_ = *KeyRing::Open(disk_, kRing, *file_);
  }
  void Reopen() {
    ring_ = nullptr;
    file_ = *LocalKeyFile::Open(disk_, kKeyPath);
    ring_ = *KeyRing::Open(disk_, kRing, *file_);
  }
  SimFileSystem disk_{1};
  std::unique_ptr<LocalKeyFile> file_;
  std::unique_ptr<KeyRing> ring_;
  const Uuid table_ = SomeUuid(100);
  const Uuid other_table_ = SomeUuid(101);
};

TEST_F(KeyRingTest, WhatIsSealedOpensAfterARestart) {
  const KeyId key = *ring_->CurrentKey(table_);
  EXPECT_EQ(*ring_->CurrentKey(table_), key);
  EXPECT_NE(*ring_->CurrentKey(other_table_), key);
  const FileIdentity identity = FileUnder(key, 7);
  const std::string text = "twenty-one degrees in the cellar";
  const Bytes page = Sealed(**ring_->ForFile(identity), 3, text);
  EXPECT_EQ(std::search(page.begin(), page.end(), AsBytes(text).begin(), AsBytes(text).end()), page.end());
  EXPECT_EQ(page.size(), text.size() + 16 + 4);
  // The CRC holds without any key.
  EXPECT_TRUE(CheckPage(identity, 3, page).ok());
  disk_.Restart(Keep::kNone);
  Reopen();
  EXPECT_EQ(*ring_->CurrentKey(table_), key);
  Bytes copy = page;
  const auto opened = (*ring_->ForFile(identity))->OpenPage(3, copy);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(AsText(*opened), text);
}

TEST_F(KeyRingTest, APageElsewhereDoesNotOpenEvenWithAGoodCrc) {
  const KeyId key = *ring_->CurrentKey(table_);
  const auto file = *ring_->ForFile(FileUnder(key, 7));
  Bytes body(32 + 16);
  ASSERT_TRUE(file->Encrypt(3, body).ok());
  Bytes copy = body;
  EXPECT_TRUE(file->Decrypt(3, copy).ok());
  copy = body;
  EXPECT_EQ(CodeOf(file->Decrypt(4, copy).status()), ErrorCode::kDataLoss);
  for (int change = 0; change < 4; ++change) {
    FileIdentity wrong = FileUnder(key, 7);
    if (change == 0) wrong.file_uuid = SomeUuid(8);
    if (change == 1) wrong.type = FileType::kManifest;
    if (change == 2) wrong.format_version = 2;
    if (change == 3) wrong.key_id = *ring_->CurrentKey(other_table_);
    copy = body;
    EXPECT_EQ(CodeOf((*ring_->ForFile(wrong))->Decrypt(3, copy).status()), ErrorCode::kDataLoss) << change;
  }
  copy = body;
  EXPECT_EQ(CodeOf(file->Decrypt(3, std::span(copy).first(15)).status()), ErrorCode::kDataLoss);
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    copy = body;
    copy[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(file->Decrypt(3, copy).ok()) << bit;
  }
}

TEST_F(KeyRingTest, SealingApartAndInPlaceAgree) {
  const auto file = *ring_->ForFile(FileUnder(*ring_->CurrentKey(table_), 7));
  Bytes plain(1000, std::byte{42});
  Bytes apart(plain.size() + file->cipher_bytes());
  ASSERT_TRUE(file->EncryptInto(5, plain, apart).ok());
  Bytes in_place = plain;
  in_place.resize(apart.size());
  ASSERT_TRUE(file->Encrypt(5, in_place).ok());
  EXPECT_EQ(apart, in_place);
  Bytes out(plain.size());
  ASSERT_TRUE(file->DecryptInto(5, apart, out).ok());
  EXPECT_EQ(out, plain);
}

TEST_F(KeyRingTest, NoKeyMaterialStandsInTheDirectory) {
  const KeyId key = *ring_->CurrentKey(table_);
  const Bytes page = Sealed(**ring_->ForFile(FileUnder(key, 7)), 0, "x");
  for (const std::string& path : disk_.Paths()) {
    if (path == kKeyPath) continue;
    // Of a wrapped key, 32 bytes are random and 28 more are nonce and tag: a plain one would be
    // found by unwrapping; here it is enough that each file is as long as the format says.
    EXPECT_EQ(disk_.Contents(path).size(), 52 + 4 + 36 + 4 + 60 + 4) << path;
  }
}

TEST_F(KeyRingTest, ALostOrForeignKeyFileIsNamed) {
  const FileIdentity identity = FileUnder(*ring_->CurrentKey(table_), 7);
  ASSERT_TRUE(disk_.Remove(kKeyPath).ok());
  EXPECT_EQ(CodeOf(LocalKeyFile::Open(disk_, kKeyPath).status()), ErrorCode::kNotFound);
  const auto foreign = *LocalKeyFile::Create(disk_, kKeyPath);
  const auto ring = *KeyRing::Open(disk_, kRing, *foreign);
  const Status refused = ring->ForFile(identity).status();
  EXPECT_EQ(CodeOf(refused), ErrorCode::kPermissionDenied);
  EXPECT_NE(MessageOf(refused).find(kKeyPath), std::string_view::npos);
  EXPECT_NE(MessageOf(refused).find("--key-file"), std::string_view::npos);
}

TEST_F(KeyRingTest, DamageToKeyFilesIsFound) {
  const FileIdentity identity = FileUnder(*ring_->CurrentKey(table_), 7);
  std::string key_path;
  for (const std::string& path : disk_.Paths()) {
    if (path.starts_with(kRing)) key_path = path;
  }
  const Bytes good = disk_.Contents(key_path);
  for (std::uint64_t bit = 0; bit < good.size() * 8; ++bit) {
    ASSERT_TRUE(disk_.FlipBit(key_path, bit).ok());
    const auto ring = *KeyRing::Open(disk_, kRing, *file_);
    const Status status = ring->ForFile(identity).status();
    EXPECT_EQ(CodeOf(status), ErrorCode::kDataLoss) << bit;
    EXPECT_NE(MessageOf(status).find(key_path), std::string_view::npos);
    ASSERT_TRUE(disk_.FlipBit(key_path, bit).ok());
  }
  // A flipped digit of the master key changes the key, and only that: still found.
  const Bytes master = disk_.Contents(kKeyPath);
  const std::string text(AsText(master));
  const std::size_t digit = text.rfind('\n', text.size() - 2) + 1 + 41;
  ASSERT_TRUE(disk_.FlipBit(kKeyPath, digit * 8).ok());
  const auto damaged = LocalKeyFile::Open(disk_, kKeyPath);
  if (damaged.ok()) {
    const auto ring = *KeyRing::Open(disk_, kRing, **damaged);
    EXPECT_EQ(CodeOf(ring->ForFile(identity).status()), ErrorCode::kDataLoss);
  } else {
    EXPECT_EQ(CodeOf(damaged.status()), ErrorCode::kDataLoss);
  }
}

TEST_F(KeyRingTest, AnUnsealedFileIsAForgery) {
  EXPECT_EQ(CodeOf(ring_->ForFile(FileUnder({}, 7)).status()), ErrorCode::kPermissionDenied);
}

TEST_F(KeyRingTest, RotationKeepsOldFilesReadable) {
  const KeyId first = *ring_->CurrentKey(table_);
  const Bytes page = Sealed(**ring_->ForFile(FileUnder(first, 7)), 0, "old");
  const KeyId second = *ring_->Rotate(table_);
  EXPECT_NE(first, second);
  Reopen();
  EXPECT_EQ(*ring_->CurrentKey(table_), second);
  Bytes copy = page;
  EXPECT_TRUE((*ring_->ForFile(FileUnder(first, 7)))->OpenPage(0, copy).ok());
  ASSERT_EQ(ring_->Keys().size(), 2U);
  EXPECT_FALSE(ring_->Keys()[0].is_current);
  EXPECT_TRUE(ring_->Keys()[1].is_current);
  EXPECT_EQ(CodeOf(ring_->Rotate(other_table_).status()), ErrorCode::kNotFound);
}

TEST_F(KeyRingTest, TheMasterKeyCanBeExchanged) {
  const KeyId key = *ring_->CurrentKey(table_);
  const Bytes page = Sealed(**ring_->ForFile(FileUnder(key, 7)), 0, "text");
  const std::string before = *ring_->MasterKeyOf(key);
  ASSERT_TRUE(file_->AddKey().ok());
  EXPECT_EQ(*ring_->WrapAnew(), 1U);
  EXPECT_EQ(*ring_->WrapAnew(), 0U);
  ASSERT_TRUE(file_->DropOldKeys().ok());
  disk_.Restart(Keep::kNone);
  Reopen();
  EXPECT_NE(*ring_->MasterKeyOf(key), before);
  Bytes copy = page;
  EXPECT_TRUE((*ring_->ForFile(FileUnder(key, 7)))->OpenPage(0, copy).ok());
}

TEST_F(KeyRingTest, DestroyingAKeyDestroysWhatItSealed) {
  const KeyId key = *ring_->CurrentKey(table_);
  const KeyId kept = *ring_->CurrentKey(other_table_);
  ASSERT_TRUE(ring_->Rotate(table_).ok());
  const auto open_file = *ring_->ForFile(FileUnder(key, 7));
  ASSERT_TRUE(ring_->DestroyKeys(table_).ok());
  EXPECT_EQ(CodeOf(ring_->ForFile(FileUnder(key, 7)).status()), ErrorCode::kPermissionDenied);
  EXPECT_EQ(ring_->Scopes(), std::vector<Uuid>{other_table_});
  // A query that had the file open goes on.
  Bytes body(16 + 16);
  EXPECT_TRUE(open_file->Encrypt(0, body).ok());
  disk_.Restart(Keep::kNone);
  Reopen();
  EXPECT_EQ(CodeOf(ring_->ForFile(FileUnder(key, 7)).status()), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(ring_->ForFile(FileUnder(kept, 7)).ok());
  EXPECT_TRUE(ring_->DestroyKeys(table_).ok());
}

// A power cut in any call of making, rotating, wrapping anew and destroying keys: a key that was
// returned is there afterwards, and opens.
TEST(KeyRingCrash, AKeyThatWasHandedOutSurvives) {
  for (std::uint64_t call = 1; call < 60; ++call) {
    for (const Keep keep : {Keep::kAll, Keep::kNone, Keep::kRandom}) {
      SimFileSystem disk(call);
      ASSERT_TRUE(disk.CreateDirectory("db").ok());
      ASSERT_TRUE(disk.SyncDirectory(".").ok());
      auto file = *LocalKeyFile::Create(disk, kKeyPath);
      auto ring = *KeyRing::Open(disk, kRing, *file);
      disk.CrashAtCall(call);
      std::vector<KeyId> given;
      const auto note = [&](const Result<KeyId>& key) {
        if (key.ok()) given.push_back(*key);
      };
      note(ring->CurrentKey(SomeUuid(1)));
      note(ring->Rotate(SomeUuid(1)));
      note(ring->CurrentKey(SomeUuid(2)));
      if (file->AddKey().ok() && ring->WrapAnew().ok()) static_cast<void>(file->DropOldKeys());
      note(ring->CurrentKey(SomeUuid(3)));
      disk.Restart(keep);
      const auto file_after = LocalKeyFile::Open(disk, kKeyPath);
      ASSERT_TRUE(file_after.ok()) << file_after.status();
      const auto ring_after = KeyRing::Open(disk, kRing, **file_after);
      ASSERT_TRUE(ring_after.ok());
      for (const KeyId& key : given) {
        const auto opened = (*ring_after)->ForFile(FileUnder(key, 7));
        EXPECT_TRUE(opened.ok()) << "call " << call << ": " << opened.status();
      }
    }
  }
}

TEST(LocalKeyFile, RefusesWhatIsNoKeyFile) {
  SimFileSystem disk(1);
  const auto code = [&](std::string_view text) {
    EXPECT_TRUE(fs::WriteFileReplacing(disk, kKeyPath, AsBytes(text)).ok());
    return CodeOf(LocalKeyFile::Open(disk, kKeyPath).status());
  };
  ASSERT_TRUE(disk.CreateDirectory("db").ok());
  const std::string id = "6f0c2f6e-6f5c-4b1a-9a55-0a3e5d0c8a11";
  const std::string digits(64, 'a');
  EXPECT_EQ(code("key " + id + " " + digits + "\n"), ErrorCode::kOk);
  EXPECT_EQ(code("# words\r\n\nkey " + id + " " + digits), ErrorCode::kOk);
  EXPECT_EQ(code(""), ErrorCode::kDataLoss);
  EXPECT_EQ(code("key " + id + " " + digits + "a\n"), ErrorCode::kDataLoss);
  EXPECT_EQ(code("key " + id + " " + digits.substr(1) + "\n"), ErrorCode::kDataLoss);
  EXPECT_EQ(code("key " + id + " " + digits.substr(1) + "g\n"), ErrorCode::kDataLoss);
  EXPECT_EQ(code("key " + id.substr(1) + " " + digits + "\n"), ErrorCode::kDataLoss);
  EXPECT_EQ(code("something else\n"), ErrorCode::kDataLoss);
  const Status status = LocalKeyFile::Open(disk, kKeyPath).status();
  EXPECT_EQ(MessageOf(status).find("something"), std::string_view::npos) << "a message repeats a line";
  EXPECT_EQ(code(std::string(70'000, '#')), ErrorCode::kDataLoss);
}

TEST(EphemeralSealer, OpensItsOwnAndNoOther) {
  EphemeralSealer one;
  EphemeralSealer two;
  const FileIdentity identity = FileUnder(*one.CurrentKey({}), 7);
  Bytes page = Sealed(**one.ForFile(identity), 9, "spilled");
  EXPECT_EQ(CodeOf(two.ForFile(identity).status()), ErrorCode::kPermissionDenied);
  const auto opened = (*one.ForFile(identity))->OpenPage(9, page);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(AsText(*opened), "spilled");
}

TEST(SecretKey, DerivesWhatHkdfDerivesAndIsWiped) {
  crypto::SecretKey key;
  for (std::size_t i = 0; i < key.writable().size(); ++i) key.writable()[i] = static_cast<std::byte>(i);
  const Uuid salt = SomeUuid(3);
  const crypto::SecretKey derived = crypto::DeriveKey(key, salt.bytes, "a purpose");
  const Bytes expected = crypto::HkdfSha256(key.bytes(), salt.bytes, "a purpose", 32);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), derived.bytes().begin()));
  const crypto::AeadKey* const slot = &key.bytes();
  { const crypto::SecretKey gone = std::move(key); }
  EXPECT_EQ(*slot, crypto::AeadKey{});  // the slab stays mapped
}

}  // namespace
}  // namespace tideline::seal
