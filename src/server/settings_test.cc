#include "server/settings.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace tideline::server {
namespace {

Environment Nothing() {
  return [](std::string_view) { return std::optional<std::string>(); };
}

TEST(SettingsTest, FlagWinsOverVariableOverFileOverDefault) {
  const std::string path = testing::TempDir() + "/settings_test.toml";
  std::ofstream(path) << "data-dir = \"from-file\"\nconnections-max = 7\nprofile = \"compat\"\n";
  const Environment environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "TIDELINE_DATA_DIR") return "from-variable";
    if (name == "TIDELINE_PROFILE") return "extended";
    return std::nullopt;
  };
  const auto settings = LoadSettings({{"data-dir", "from-flag"}}, environment, path);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->data_dir, "from-flag");
  EXPECT_EQ(settings->profile, "extended");
  EXPECT_EQ(settings->connections, 7);
  EXPECT_EQ(settings->body_mb, 16);
}

TEST(SettingsTest, UnknownKeyNamesTheNearest) {
  const auto settings = LoadSettings({{"data-dri", "x"}}, Nothing(), "");
  EXPECT_EQ(MessageOf(settings.status()), "unknown setting data-dri; did you mean data-dir?");
}

TEST(SettingsTest, RefusesValuesOutOfRange) {
  EXPECT_FALSE(LoadSettings({{"body-max", "0"}}, Nothing(), "").ok());
  EXPECT_FALSE(LoadSettings({{"profile", "other"}}, Nothing(), "").ok());
  EXPECT_FALSE(LoadSettings({{"account-id", "12"}}, Nothing(), "").ok());
  EXPECT_FALSE(LoadSettings({{"access-key-id", "A"}}, Nothing(), "").ok());
  EXPECT_FALSE(LoadSettings({}, Nothing(), "/nonexistent/settings.toml").ok());
}

TEST(SettingsTest, ReferenceListsEverySetting) {
  const std::string page = PrintSettingsReference();
  for (const SettingInfo& info : AllSettings()) {
    EXPECT_NE(page.find("`--" + std::string(info.name) + "`"), std::string::npos) << info.name;
  }
}

}  // namespace
}  // namespace tideline::server
