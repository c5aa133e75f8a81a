// Reads the worked example of docs/file-format.md: whoever follows the document reads our pages.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "crypto/encoding.h"
#include "storage/seal/gcm_file_sealer.h"

namespace tideline::seal {
namespace {

// The hexadecimal digits of the first code block under `heading`.
std::string HexUnder(const std::string& document, const std::string& heading) {
  const std::size_t begin = document.find("```\n", document.find(heading)) + 4;
  const std::size_t end = document.find("```", begin);
  std::string digits;
  for (const char c : document.substr(begin, end - begin)) {
    if (c != ' ' && c != '\n') digits.push_back(c);
  }
  return digits;
}

TEST(SealDocument, WorkedExampleOfTheDocument) {
  std::ifstream file("docs/file-format.md");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string heading = "### Worked example of a sealed page";
  ASSERT_NE(text.str().find(heading), std::string::npos);
  const auto page = crypto::ParseHex(HexUnder(text.str(), heading));
  ASSERT_TRUE(page.ok()) << page.status();

  crypto::SecretKey key;
  for (std::size_t i = 0; i < key.writable().size(); ++i) {
    key.writable()[i] = static_cast<std::byte>(i);
  }
  FileIdentity identity{.type = FileType::kManifest, .format_version = 1};
  identity.file_uuid.bytes.fill(std::byte{1});
  identity.key_id.bytes.fill(std::byte{2});
  const auto sealer = MakeGcmFileSealer(key, identity);
  EXPECT_TRUE(CheckPage(identity, 3, *page).ok());
  Bytes opened = *page;
  const auto plain = sealer->OpenPage(3, opened);
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ(AsText(*plain), "tideline");

  Bytes sealed(AsBytes("tideline").begin(), AsBytes("tideline").end());
  sealed.resize(sealed.size() + sealer->overhead_bytes());
  ASSERT_TRUE(sealer->SealPage(3, sealed).ok());
  EXPECT_EQ(sealed, *page);
}

}  // namespace
}  // namespace tideline::seal
