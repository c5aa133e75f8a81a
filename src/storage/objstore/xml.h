// storage/objstore/xml.h: the small XML answers of an S3 server, as a bounded tree.
//
// Elements, text and the five named entities with character references; declarations, comments and
// attributes are passed over. A document type is refused, so nothing expands. Bytes come from a
// network: every size below is a limit, and damage is kDataLoss.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tideline::objstore {

inline constexpr std::size_t kXmlBytesMax = std::size_t{8} << 20;
inline constexpr std::size_t kXmlElementsMax = 50'000;
inline constexpr std::size_t kXmlDepthMax = 16;

struct XmlElement {
  std::string name{};  ///< without a namespace prefix
  std::string text{};  ///< of the element itself, entities decoded
  std::vector<XmlElement> children{};

  /// The first child of that name; null.
  const XmlElement* Find(std::string_view child) const;
  /// Its text; empty when there is none.
  std::string_view TextOf(std::string_view child) const;
};

/// The root element.
Result<XmlElement> ParseXml(std::string_view text);

/// `text` with the five characters that XML reserves as entities.
std::string EscapeXml(std::string_view text);

}  // namespace tideline::objstore
