// crypto/random_bytes.h: unpredictable bytes for keys, nonces and tokens.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace tideline::crypto {

/// Fills `out` from OpenSSL's generator, which the kernel seeds. Aborts if the system has no
/// entropy, since going on would mean guessable keys. Thread-safe.
void FillRandom(std::span<std::byte> out);

template <std::size_t kCount>
std::array<std::byte, kCount> RandomBytes() {
  std::array<std::byte, kCount> bytes;
  FillRandom(bytes);
  return bytes;
}

}  // namespace tideline::crypto
