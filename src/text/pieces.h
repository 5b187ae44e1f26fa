// What every text encoder is inside.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/text_encoder.h"

namespace unroll::detail {

/// Ids for texts and texts for ids. Immutable.
struct Pieces {
  /// -1: none.
  struct Special {
    std::int32_t padding = -1, unknown = -1, begin = -1, end = -1;
    bool has(std::int32_t id) const noexcept {
      return id == padding || id == unknown || id == begin || id == end;
    }
  };

  virtual ~Pieces() = default;
  virtual TextEncoderKind kind() const noexcept = 0;
  virtual Index size() const noexcept = 0;
  /// Requires: an id.
  virtual std::string_view piece(std::int32_t id) const = 0;
  virtual std::optional<std::int32_t> find(std::string_view piece) const = 0;
  /// Requires: UTF-8.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  /// The text that an id adds after another one, -1 for none; both are ids that stand for text.
  virtual std::string text(std::int32_t last, std::int32_t id) const = 0;
  /// The byte that an id stands for, which makes a character with those beside it.
  virtual std::optional<char> byte(std::int32_t) const { return std::nullopt; }
  /// Requires: that its kind has one.
  virtual TextEncoderConfig config() const { return {}; }
  virtual const std::string* sentence_piece() const noexcept { return nullptr; }

  Special special;
};

/// Characters or words. Throws: Error (value) as TextEncoder::from_config.
std::shared_ptr<const Pieces> listed_pieces(const TextEncoderConfig& config);

}  // namespace unroll::detail
