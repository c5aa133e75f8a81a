// crypto/encoding.h: bytes as text. Hexadecimal and base64 (RFC 4648 section 4, with padding).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace tideline::crypto {

/// Lower case, two digits a byte.
std::string HexOf(BytesView bytes);
/// Appends HexOf(bytes) to `*out`.
void AppendHex(BytesView bytes, std::string* out);
/// Either case. kInvalidArgument for an odd length or a character that is no digit.
Result<Bytes> ParseHex(std::string_view text);

std::string Base64Of(BytesView bytes);
/// Strict: kInvalidArgument unless the length is a multiple of 4, the alphabet is the standard one,
/// padding is whole and unused bits are zero.
Result<Bytes> ParseBase64(std::string_view text);

}  // namespace tideline::crypto
