#include "crypto/random_bytes.h"

#include <openssl/rand.h>

#include <limits>

#include "base/check.h"

namespace tideline::crypto {

void FillRandom(std::span<std::byte> out) {
  TL_CHECK(out.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  TL_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) ==
           1);
}

}  // namespace tideline::crypto
