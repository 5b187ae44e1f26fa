// Is a .model safe to hand to SentencePiece?
//
// Its numbers are those of sentencepiece_model.proto. The part that could do harm is the table of
// a normaliser, `precompiled_charsmap`: the size of a double array, the array (Darts-clone), and
// the texts that its leaves point to. SentencePiece walks the array and reads those texts without
// looking at where they end.
#include <cmath>
#include <cstring>

#include "src/text/sentence_piece.h"
#include "src/text/utf8.h"
#include "src/text/wire.h"
#include "src/text/word_table.h"

namespace unroll::detail {

namespace {

using text::Wire;
using text::WireField;
using Type = WireField::Type;

constexpr float largest_score = 1e7F;

class Checker {
 public:
  explicit Checker(const std::string& name) : name_(name) {}

  SentencePieceFacts check(std::string_view bytes) {
    each(bytes, [this](const WireField& field) {
      if (field.number > 5 || field.number == 0) return;
      want(field, Type::bytes);
      if (field.number == 1) check_piece(field.bytes);
      if (field.number == 2) check_trainer(field.bytes);
      if (field.number == 3) check_normalizer(field.bytes);
      if (field.number == 5) check_denormalizer(field.bytes);
    });
    if (unknowns_ != 1) throw refusal("not one unknown piece", std::to_string(unknowns_));
    return facts_;
  }

 private:
  Error refusal(const std::string& what, const std::string& got) const {
    return Error(ErrorKind::format, name_ + ": no SentencePiece model that can be used: " + what,
                 {.got = got});
  }
  Error unsupported(const std::string& what) const {
    return Error(ErrorKind::unsupported, name_ + ": " + what);
  }

  template <class F>
  void each(std::string_view message, F use) const {
    Wire wire(message);
    while (const auto field = wire.next()) use(*field);
    if (wire.damaged()) throw refusal("a damaged message", "bytes that are no fields");
  }
  void want(const WireField& field, Type type) const {
    if (field.type == type) return;
    throw refusal("a field of another type", "field " + std::to_string(field.number));
  }

  void check_piece(std::string_view message) {
    std::string_view piece;
    float score = 0;
    std::uint64_t type = 1;
    each(message, [&](const WireField& field) {
      if (field.number == 1) {
        want(field, Type::bytes);
        piece = field.bytes;
      } else if (field.number == 2) {
        want(field, Type::fixed32);
        score = field.real();
      } else if (field.number == 3) {
        want(field, Type::number);
        type = field.value;
      }
    });
    const std::string which = "piece " + std::to_string(pieces_.size());
    if (piece.empty()) throw refusal("an empty piece", which);
    // Its table of pieces ends texts at a zero byte.
    if (text::first_invalid(piece) || piece.find('\0') != std::string_view::npos) {
      throw refusal("a piece that is not UTF-8", which);
    }
    if (!(std::abs(score) <= largest_score)) throw refusal("a score out of range", which);
    if (type < 1 || type > 6) throw refusal("a piece of no known type", which);
    const std::uint32_t before = pieces_.size();
    pieces_.intern(piece);
    if (pieces_.size() == before) throw refusal("a piece is there twice", which);
    if (type == 2) ++unknowns_;
  }

  void check_trainer(std::string_view message) const {
    each(message, [this](const WireField& field) {
      if (field.number == 3) {
        want(field, Type::number);
        if (field.value < 1 || field.value > 4) {
          throw refusal("no known kind of model", std::to_string(field.value));
        }
      }
      if (field.number == 24 && field.type == Type::number && field.value != 0) {
        throw unsupported("a model whose blanks are suffixes (treat_whitespace_as_suffix)");
      }
    });
  }

  void check_normalizer(std::string_view message) {
    each(message, [this](const WireField& field) {
      if (field.number == 2) {
        want(field, Type::bytes);
        check_charsmap(field.bytes);
      }
      if (field.number == 3) dummy_prefix_ = field.value != 0;
      if (field.number == 4) extra_blanks_removed_ = field.value != 0;
      facts_.strips_first_blank = dummy_prefix_ || extra_blanks_removed_;
    });
  }

  void check_denormalizer(std::string_view message) const {
    each(message, [this](const WireField& field) {
      if (field.number == 2 && !field.bytes.empty()) {
        throw unsupported("a model that rewrites what it decodes (denormalizer_spec)");
      }
    });
  }

  /// A step of a walk goes from unit `at` by a byte to unit (at ^ offset) ^ byte, which must be
  /// there for any byte; a unit with the highest bit is a leaf, and points into the texts.
  void check_charsmap(std::string_view map) const {
    if (map.empty()) return;
    constexpr std::uint32_t leaf = std::uint32_t{1} << 31;
    std::uint32_t size = 0;
    const bool whole = map.size() > sizeof size;
    if (whole) std::memcpy(&size, map.data(), sizeof size);
    if (!whole || size == 0 || size % 4 != 0 || size >= map.size() - sizeof size) {
      throw refusal("a normaliser cut short", std::to_string(map.size()) + " bytes");
    }
    const char* const array = map.data() + sizeof size;
    const std::string_view texts = map.substr(sizeof size + size);
    if (texts.back() != '\0' || text::first_invalid(texts)) {
      throw refusal("a normaliser whose texts are not UTF-8",
                    std::to_string(texts.size()) + " bytes");
    }
    const std::uint32_t units = size / 4;
    for (std::uint32_t at = 0; at < units; ++at) {
      std::uint32_t unit = 0;
      std::memcpy(&unit, array + std::size_t{4} * at, sizeof unit);
      const std::uint32_t offset = (unit >> 10) << ((unit & (1U << 9)) >> 6);
      const bool inside =
          (unit & leaf) != 0 ? (unit & ~leaf) < texts.size() : ((at ^ offset) | 0xFFU) < units;
      if (!inside) throw refusal("a normaliser that points outside", "unit " + std::to_string(at));
    }
  }

  const std::string& name_;
  text::WordTable pieces_;
  int unknowns_ = 0;
  bool dummy_prefix_ = true, extra_blanks_removed_ = true;
  SentencePieceFacts facts_;
};

}  // namespace

SentencePieceFacts check_sentence_piece(std::string_view bytes, const std::string& name) {
  return Checker(name).check(bytes);
}

}  // namespace unroll::detail
