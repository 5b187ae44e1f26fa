// Characters and words: pieces in a list.
#include <array>

#include "src/text/cutter.h"
#include "src/text/lower.h"
#include "src/text/pieces.h"
#include "src/text/prose.h"
#include "src/text/utf8.h"
#include "src/text/word_table.h"

namespace unroll::detail {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD", blank = " ", join = "<join>";

Error refusal(const std::string& what, const std::string& got) {
  return Error(ErrorKind::value, "TextEncoder: " + what, {.got = got});
}

std::string shown(std::string_view piece) { return "\"" + std::string(piece.substr(0, 60)) + "\""; }

/// What characters and words share: a table of pieces.
class Listed : public Pieces {
 public:
  explicit Listed(const TextEncoderConfig& config) : lower_(config.lower), kind_(config.kind) {
    for (const std::string& piece : config.pieces) add(piece);
    special = {config.padding, config.unknown, config.begin, config.end};
    for (const std::int32_t id : {config.padding, config.unknown, config.begin, config.end}) {
      if (id < -1 || id >= size()) throw refusal("a special id out of range", std::to_string(id));
    }
  }

  TextEncoderKind kind() const noexcept override { return kind_; }
  Index size() const noexcept override { return table_.size(); }
  std::string_view piece(std::int32_t id) const override {
    return table_[static_cast<std::uint32_t>(id)];
  }
  std::optional<std::int32_t> find(std::string_view piece) const override {
    const auto found = table_.find(piece);
    return found ? std::optional(static_cast<std::int32_t>(*found)) : std::nullopt;
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::string lowered;
    if (lower_) {
      text::lower_case(text, lowered);
      text = lowered;
    }
    std::vector<std::int32_t> ids;
    encode(text, ids);
    return ids;
  }

  TextEncoderConfig config() const override {
    TextEncoderConfig config{.kind = kind_, .lower = lower_};
    for (std::uint32_t i = 0; i < table_.size(); ++i) config.pieces.emplace_back(table_[i]);
    config.padding = special.padding;
    config.unknown = special.unknown;
    config.begin = special.begin;
    config.end = special.end;
    return config;
  }

 protected:
  virtual void encode(std::string_view text, std::vector<std::int32_t>& ids) const = 0;

  /// The id of a piece of a text; -1 where it is unknown and nothing stands for that.
  std::int32_t id_of(std::string_view piece) const {
    const auto id = find(piece);
    return id && !special.has(*id) ? *id : special.unknown;
  }
  static void append(std::vector<std::int32_t>& ids, std::int32_t id) {
    if (id >= 0) ids.push_back(id);
  }
  std::string_view text_of(std::int32_t id) const {
    return id == special.unknown ? replacement : piece(id);
  }

 private:
  void add(const std::string& piece) {
    if (piece.empty()) throw refusal("an empty piece", "id " + std::to_string(size()));
    if (text::first_invalid(piece)) {
      throw refusal("a piece that is not UTF-8", "id " + std::to_string(size()));
    }
    if (table_.find(piece)) throw refusal("a piece is there twice", shown(piece));
    table_.intern(piece);
  }

  text::WordTable table_;
  bool lower_;
  TextEncoderKind kind_;
};

class Characters : public Listed {
 public:
  explicit Characters(const TextEncoderConfig& config) : Listed(config) {
    for (std::size_t code = 0; code < ascii_.size(); ++code) {
      const char character = static_cast<char>(code);
      ascii_[code] = id_of({&character, 1});
    }
  }

  std::string text(std::int32_t, std::int32_t id) const override {
    return std::string(text_of(id));
  }

 private:
  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    ids.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = text::decode(text, at).length;
      const auto first = static_cast<unsigned char>(text[at]);
      append(ids, length == 1 ? ascii_[first] : id_of(text.substr(at, length)));
      at += length;
    }
  }

  std::array<std::int32_t, 128> ascii_{};
};

/// Blanks that are usual between two pieces are left out; `join` says that none is there.
class Prose : public Listed {
 public:
  explicit Prose(const TextEncoderConfig& config)
      : Listed(config), blank_(find(blank).value_or(-1)), join_(find(join).value_or(-1)) {
    if (blank_ < 0 || join_ < 0)
      throw refusal("words need the pieces \" \" and \"<join>\"", "none");
  }

  std::string text(std::int32_t last, std::int32_t id) const override {
    if (id == join_) return {};
    const std::string piece(text_of(id));
    const bool apart = last < 0 || id == blank_ || last == blank_ || last == join_;
    return !apart && text::blank_between(text_of(last), piece) ? " " + piece : piece;
  }

 private:
  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    std::string_view last;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = std::min(text.find_first_not_of(' ', at), text.size());
      const std::size_t blanks = start - at;
      const std::string_view next =
          start < text.size() ? text::piece_at(text, start) : std::string_view();
      const bool inside = !last.empty() && !next.empty();
      const std::size_t usual = inside && text::blank_between(last, next) ? 1 : 0;
      if (blanks != usual)
        ids.insert(ids.end(), std::max<std::size_t>(blanks, 1), blanks == 0 ? join_ : blank_);
      if (!next.empty()) append(ids, id_of(next));
      last = next;
      at = start + next.size();
    }
  }

  std::int32_t blank_, join_;
};

/// Words between separators, as Tokenizer cuts them.
class Filtered : public Listed {
 public:
  explicit Filtered(const TextEncoderConfig& config)
      : Listed(config), filters_(*config.filters), cutter_(filters_, " ") {}

  std::string text(std::int32_t last, std::int32_t id) const override {
    return (last < 0 ? "" : " ") + std::string(text_of(id));
  }
  TextEncoderConfig config() const override {
    TextEncoderConfig config = Listed::config();
    config.filters = filters_;
    return config;
  }

 private:
  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    std::string room;
    cutter_.words(text, room, [&](std::string_view word) { append(ids, id_of(word)); });
  }

  std::string filters_;
  text::Cutter cutter_;
};

}  // namespace

std::shared_ptr<const Pieces> listed_pieces(const TextEncoderConfig& config) {
  if (config.kind == TextEncoderKind::characters) return std::make_shared<Characters>(config);
  if (config.kind == TextEncoderKind::subwords) {
    throw refusal("subwords are made of a .model, not of a list of pieces", "subwords");
  }
  if (!config.filters) return std::make_shared<Prose>(config);
  if (text::first_invalid(*config.filters)) throw refusal("filters that are not UTF-8", "filters");
  return std::make_shared<Filtered>(config);
}

}  // namespace unroll::detail
