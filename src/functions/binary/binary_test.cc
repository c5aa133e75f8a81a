#include <gtest/gtest.h>

#include "functions/testing.h"

namespace tideline::functions {
namespace {

using testing::Call;
Value Str(std::string text) { return Value::Varchar(std::move(text)); }
Value Bin(std::string bytes) { return Value::Text(Type::Varbinary(), std::move(bytes)); }

TEST(BinaryTest, Digests) {
  struct Case {
    const char* name;
    const char* empty;
    const char* abc;
  };
  const Case cases[] = {
      {"md5", "d41d8cd98f00b204e9800998ecf8427e", "900150983cd24fb0d6963f7d28e17f72"},
      {"sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
       "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"xxhash64", "ef46db3751d8e999", "44bc2cf5ad770999"},
      {"crc32", "0", "891568578"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Call(one.name, {Bin("")}), one.empty) << one.name;
    EXPECT_EQ(Call(one.name, {Bin("abc")}), one.abc) << one.name;
    EXPECT_EQ(Call(one.name, {Value::Null(Type::Varbinary())}), "NULL");
  }
  EXPECT_EQ(Call("sha512", {Bin("abc")}).substr(0, 16), "ddaf35a193617aba");
  EXPECT_EQ(Call("from_big_endian_64", {Bin("\x12\x34")}),
            "error: expected 8-byte input, but got instead: 2");
  EXPECT_EQ(Call("to_big_endian_64", {Value::Bigint(-2)}), "fffffffffffffffe");
  EXPECT_EQ(Call("from_big_endian_64", {Bin(std::string(7, '\xff') + "\xfe")}), "-2");
  EXPECT_EQ(Call("to_big_endian_32", {Value::Integer(-2)}), "fffffffe");
  EXPECT_EQ(Call("from_big_endian_32", {Bin("\xff\xff\xff\xfe")}), "-2");
}

TEST(BinaryTest, Encodings) {
  EXPECT_EQ(Call("to_hex", {Bin("\xca\xfe")}), "CAFE");
  EXPECT_EQ(Call("from_hex", {Str("CaFe")}), "cafe");
  EXPECT_EQ(Call("from_hex", {Str("abc")}).substr(0, 6), "error:");
  EXPECT_EQ(Call("from_hex", {Str("xy")}), "error: Invalid hexadecimal string: xy");
  EXPECT_EQ(Call("to_base64", {Bin("Hi!?")}), "SGkhPw==");
  EXPECT_EQ(Call("to_base64", {Bin("")}), "");
  EXPECT_EQ(Call("from_base64", {Str("SGkhPw")}), "4869213f");
  EXPECT_EQ(Call("from_base64", {Str("SGkhPw==")}), "4869213f");
  EXPECT_EQ(Call("from_base64", {Str("SGkhP")}), "error: Invalid base64 string: SGkhP");
  EXPECT_EQ(Call("from_base64", {Str("-_8=")}), "error: Invalid base64 string: -_8=");
  EXPECT_EQ(Call("from_base64url", {Str("-_8=")}), "fbff");
  EXPECT_EQ(Call("to_base64url", {Bin("\xfb\xff")}), "-_8=");
  EXPECT_EQ(Call("to_utf8", {Str("é")}), "c3a9");
  EXPECT_EQ(Call("from_utf8", {Bin("a\xff\xc3\xa9")}), "a\xEF\xBF\xBDé");
  EXPECT_EQ(Call("from_utf8", {Bin("a\xff"), Str("")}), "a");
  EXPECT_EQ(Call("from_utf8", {Bin("a\xff"), Str("??")}),
            "error: Replacement character string must empty or a single character");
  EXPECT_EQ(Call("length", {Bin("\xc3\xa9")}), "2");
}

}  // namespace
}  // namespace tideline::functions
