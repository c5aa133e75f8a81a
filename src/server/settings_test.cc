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

TEST(SettingsTest, FilesSayWhatIsWrongWithThem) {
  const auto message = [](std::string_view path) {
    return std::string(MessageOf(LoadSettings({}, Nothing(), path).status()));
  };
  EXPECT_NE(message(testing::TempDir()).find("it is a directory"), std::string::npos) << message(testing::TempDir());
  EXPECT_NE(message("/nonexistent/settings.toml").find("cannot read the settings file"), std::string::npos);
  const std::string path = testing::TempDir() + "/settings_test_table.toml";
  std::ofstream(path) << "[tls]\ncertificate = 'x'\n";
  EXPECT_NE(message(path).find("unknown setting tls; did you mean tls-certificate?"), std::string::npos) << message(path);
  std::ofstream(path) << "memory = [1]\n";
  EXPECT_NE(message(path).find("memory must be a text, a whole number"), std::string::npos) << message(path);
  std::remove(path.c_str());
}

TEST(SettingsTest, UnknownVariablesAreToldWithTheNearest) {
  const std::vector<std::string> names{"TIDELINE_MEMRY", "TIDELINE_MEMORY", "HOME", "TIDELINE_SERVICE_HOST"};
  const std::vector<std::string> expected{
      "the variable TIDELINE_MEMRY is no setting and is ignored; did you mean TIDELINE_MEMORY?",
      "the variable TIDELINE_SERVICE_HOST is no setting and is ignored"};
  EXPECT_EQ(UnknownVariables(names), expected);
  EXPECT_FALSE(ProcessVariables().empty());
}

TEST(SettingsTest, AnEndpointIsAnAddress) {
  const auto load = [](const char* endpoint) { return LoadSettings({{"endpoint", endpoint}}, Nothing(), "").ok(); };
  for (const char* good : {"", "https://timestream.example.com", "http://10.0.0.1:8433", "db", "db.example.com:8433",
                           "[::1]:8433", "http://[::1]"}) {
    EXPECT_TRUE(load(good)) << good;
  }
  for (const char* bad : {"foo bar", "http://", "ftp://x", "http://a b", "x:y", "x:99999", "a/b", "http://u@x", "a,b",
                          "::1"}) {
    EXPECT_FALSE(load(bad)) << bad;
  }
}

TEST(SettingsTest, RangesHaveNoLooseEnds) {
  for (const SettingInfo& info : AllSettings()) EXPECT_FALSE(info.range.ends_with(' ')) << info.name;
}

TEST(SettingsTest, ReferenceListsEverySetting) {
  const std::string page = PrintSettingsReference();
  for (const SettingInfo& info : AllSettings()) {
    EXPECT_NE(page.find("`--" + std::string(info.name) + "`"), std::string::npos) << info.name;
  }
}

}  // namespace
}  // namespace tideline::server
