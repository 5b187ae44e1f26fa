// The one file that knows SentencePiece.
#include "src/text/sentence_piece.h"

#include <algorithm>

#include "src/text/utf8.h"

#ifdef UNROLL_HAVE_SENTENCEPIECE
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <unordered_map>
#endif

namespace unroll::detail {

namespace {

constexpr std::size_t longest_part = 2000;

/// Where to cut before `most` bytes: after a line end, a blank, or else a character.
std::size_t cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text.size();
  for (const char after : {'\n', ' '}) {
    const std::size_t found = text.rfind(after, most - 1);
    if (found != std::string_view::npos) return found + 1;
  }
  while ((text[most] & 0xC0) == 0x80) --most;
  return most;
}

}  // namespace

void append_parts(std::string_view text, std::vector<std::string>& parts) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\t'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    while (!line.empty()) {
      const std::size_t end = cut(line, longest_part);
      parts.emplace_back(line.substr(0, end));
      line.remove_prefix(end);
    }
  }
}

#ifdef UNROLL_HAVE_SENTENCEPIECE

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD", blank = "\xE2\x96\x81";
constexpr Index special_ids = 4, byte_ids = 256;

class Subwords : public Pieces {
 public:
  Subwords(std::string bytes, const std::string& name)
      : facts_(check_sentence_piece(bytes, name)), bytes_(std::move(bytes)) {
    sentencepiece::util::Status status;
    try {
      status = processor_.LoadFromSerializedProto(bytes_);
    } catch (const std::exception& error) {
      status = {sentencepiece::util::StatusCode::kInternal, error.what()};
    }
    if (!status.ok()) {
      throw Error(ErrorKind::format, name + ": no SentencePiece model that can be used",
                  {.got = status.error_message()});
    }
    special = {processor_.pad_id(), processor_.unk_id(), processor_.bos_id(), processor_.eos_id()};
  }

  TextEncoderKind kind() const noexcept override { return TextEncoderKind::subwords; }
  Index size() const noexcept override { return processor_.GetPieceSize(); }
  std::string_view piece(std::int32_t id) const override { return processor_.IdToPiece(id); }
  std::optional<std::int32_t> find(std::string_view piece) const override {
    const int id = processor_.PieceToId({piece.data(), piece.size()});
    return processor_.IdToPiece(id) == piece ? std::optional(id) : std::nullopt;
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<int> ids;
    const auto status = processor_.Encode({text.data(), text.size()}, &ids);
    if (!status.ok())
      throw Error(ErrorKind::value, std::string("TextEncoder: ") + status.error_message());
    return {ids.begin(), ids.end()};
  }

  std::string text(std::int32_t last, std::int32_t id) const override {
    if (id == special.unknown) return std::string(replacement);
    if (processor_.IsControl(id)) return {};
    std::string text = processor_.IdToPiece(id);
    for (std::size_t at = 0; (at = text.find(blank, at)) != std::string::npos; ++at) {
      text.replace(at, blank.size(), " ");
    }
    const bool strip = last < 0 && facts_.strips_first_blank && text.starts_with(' ');
    return strip ? text.substr(1) : text;
  }

  std::optional<char> byte(std::int32_t id) const override {
    if (!processor_.IsByte(id)) return std::nullopt;
    // "<0xAB>", as SentencePiece has checked.
    return static_cast<char>(std::stoi(processor_.IdToPiece(id).substr(3, 2), nullptr, 16));
  }

  const std::string* sentence_piece() const noexcept override { return &bytes_; }

 private:
  SentencePieceFacts facts_;
  std::string bytes_;
  sentencepiece::SentencePieceProcessor processor_;
};

/// Hands the texts on without a copy.
class Source : public sentencepiece::SentenceIterator {
 public:
  explicit Source(const std::vector<std::string>& parts) : parts_(parts) {}
  bool done() const override { return i_ >= parts_.size(); }
  void Next() override { ++i_; }
  const std::string& value() const override { return parts_[i_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& parts_;
  std::size_t i_ = 0;
};

Index distinct_characters(const std::vector<std::string>& parts) {
  std::vector<bool> seen(0x110000);
  for (const std::string& part : parts) {
    for (std::size_t at = 0; at < part.size();) {
      const text::Decoded character = text::decode(part, at);
      seen[character.code] = true;
      at += character.length;
    }
  }
  return std::count(seen.begin(), seen.end(), true);
}

void check_size(const std::vector<std::string>& parts, const SubwordsOptions& options) {
  const Index least =
      special_ids + (options.byte_fallback ? byte_ids : 0) + distinct_characters(parts);
  if (options.size >= least && options.size <= 1'000'000) return;
  throw Error(
      ErrorKind::value, "TextEncoder: size is out of range for subwords of these texts",
      {.got = std::to_string(options.size),
       .want = std::to_string(least) + " (special ids, " +
               (options.byte_fallback ? "bytes, " : "") + "characters of the texts) to 1000000"});
}

}  // namespace

std::string train_sentence_piece(const std::vector<std::string>& parts,
                                 const SubwordsOptions& options) {
  check_size(parts, options);
  // Texts stay as they are: what is encoded is decoded to the same bytes. The number of threads is
  // fixed, since sums are made in the order of threads.
  const std::unordered_map<std::string, std::string> arguments{
      {"model_type", options.kind == SubwordsKind::bpe ? "bpe" : "unigram"},
      {"vocab_size", std::to_string(options.size)},
      {"hard_vocab_limit", "false"},
      {"character_coverage", "1"},
      {"byte_fallback", options.byte_fallback ? "true" : "false"},
      {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"shuffle_input_sentence", "false"},
      {"num_threads", "2"},
      {"pad_id", "0"},
      {"unk_id", "1"},
      {"bos_id", "2"},
      {"eos_id", "3"},
      {"minloglevel", "2"}};
  Source source(parts);
  std::string model;
  sentencepiece::util::Status status;
  try {
    status = sentencepiece::SentencePieceTrainer::Train(arguments, &source, &model);
  } catch (const std::exception& error) {
    status = {sentencepiece::util::StatusCode::kInternal, error.what()};
  }
  if (status.ok()) return model;
  throw Error(ErrorKind::value, "TextEncoder: subwords cannot be learnt from these texts",
              {.got = status.error_message()});
}

std::shared_ptr<const Pieces> sentence_pieces(std::string bytes, const std::string& name) {
  return std::make_shared<Subwords>(std::move(bytes), name);
}

#else

namespace {

[[noreturn]] void left_out() {
  throw Error(ErrorKind::unsupported, "TextEncoder: this unroll was built without SentencePiece",
              {.hint = "characters or words; or build it where libsentencepiece-dev is installed"});
}

}  // namespace

std::string train_sentence_piece(const std::vector<std::string>&, const SubwordsOptions&) {
  left_out();
}

std::shared_ptr<const Pieces> sentence_pieces(std::string, const std::string&) { left_out(); }

#endif

}  // namespace unroll::detail
