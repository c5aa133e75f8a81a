#include "storage/seal/sealer.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tideline::seal {
namespace {

FileIdentity SomeFile(std::uint64_t seed) {
  Random random(seed);
  return {.file_uuid = MakeUuid(random), .type = FileType::kSegment, .format_version = 1};
}

TEST(Sealer, PagesRoundTripAndAnyBitFlipIsFound) {
  PlainSealer sealer;
  const auto file = *sealer.ForFile(SomeFile(1));
  for (const std::size_t count : {0, 1, 100, 4096}) {
    Bytes page(count + file->overhead_bytes());
    for (std::size_t i = 0; i < count; ++i) page[i] = static_cast<std::byte>(i);
    const Bytes plain(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(count));
    ASSERT_TRUE(file->SealPage(7, page).ok());
    ASSERT_TRUE(CheckPage(file->identity(), 7, page).ok());
    const Result<BytesView> opened = file->OpenPage(7, page);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(std::equal(opened->begin(), opened->end(), plain.begin(), plain.end()));
    for (std::size_t bit = 0; bit < page.size() * 8; bit += 3) {
      Bytes damaged = page;
      damaged[bit / 8] ^= std::byte{1} << (bit % 8);
      EXPECT_EQ(CodeOf(file->OpenPage(7, damaged).status()), ErrorCode::kDataLoss);
    }
  }
}

TEST(Sealer, SwappedAndForeignPagesFail) {
  PlainSealer sealer;
  const auto file = *sealer.ForFile(SomeFile(1));
  const auto other = *sealer.ForFile(SomeFile(2));
  FileIdentity manifest = SomeFile(1);
  manifest.type = FileType::kManifest;
  Bytes page(100);
  ASSERT_TRUE(file->SealPage(3, page).ok());
  EXPECT_FALSE(file->OpenPage(4, page).ok());
  EXPECT_FALSE(other->OpenPage(3, page).ok());
  EXPECT_FALSE(CheckPage(manifest, 3, page).ok());
  EXPECT_FALSE(CheckPage(SomeFile(1), 3, BytesView(page).first(2)).ok());
}

TEST(Sealer, PlainSealerRefusesEncryptedFiles) {
  PlainSealer sealer;
  FileIdentity identity = SomeFile(1);
  identity.key_id = identity.file_uuid;
  EXPECT_EQ(CodeOf(sealer.ForFile(identity).status()), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace tideline::seal
