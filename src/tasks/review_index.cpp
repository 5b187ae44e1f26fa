#include <algorithm>

#include "src/tasks/shuffle.h"
#include "unroll/error.h"
#include "unroll/reviews.h"

namespace unroll {

namespace {

constexpr std::int32_t start_char = 1, oov_char = 2;

void check(const IndexOptions& options) {
  if (options.num_words != 0 && options.num_words < 5) {
    throw Error(ErrorKind::value, "index_reviews: num_words leaves no word",
                {.got = std::to_string(options.num_words),
                 .want = "0 for all words, or at least 5: the first four ids are no words"});
  }
  if (options.skip_top < 0 || (options.maxlen && *options.maxlen < 1)) {
    throw Error(ErrorKind::value, "index_reviews: skip_top and maxlen may not be negative");
  }
}

/// Ids as Keras gives them: 0 pads, 1 begins, 2 is unknown, 3 is nobody's, words follow.
TextEncoder encoder_of(const std::vector<std::string>& texts, Index num_words) {
  Tokenizer tokenizer;
  tokenizer.fit_on_texts(texts);
  TextEncoderConfig config{.kind = TextEncoderKind::words,
                           .lower = true,
                           .filters = std::string(default_filters),
                           .pieces = {"<pad>", "<s>", "<unk>", "<unused>"}};
  config.padding = 0;
  config.begin = start_char;
  config.unknown = oov_char;
  for (const auto& [word, number] : tokenizer.word_index()) {
    if (num_words != 0 && static_cast<Index>(config.pieces.size()) >= num_words) break;
    // "<unused>" and the like cannot be words: the filters take their brackets.
    config.pieces.emplace_back(word);
  }
  return TextEncoder::from_config(config);
}

IndexedPart part_of(const Reviews& reviews, const TextEncoder& encoder, const IndexOptions& options,
                    std::uint64_t stream) {
  IndexedPart part;
  for (const Index at :
       tasks::shuffled(static_cast<Index>(reviews.texts.size()), options.seed, stream)) {
    const auto i = static_cast<std::size_t>(at);
    std::vector<std::int32_t> ids = indexed(encoder, reviews.texts[i]);
    if (options.maxlen && static_cast<Index>(ids.size()) >= *options.maxlen) continue;
    for (std::int32_t& id : ids) {
      if (id < options.skip_top) id = oov_char;
    }
    part.x.push_back(std::move(ids));
    part.y.push_back(reviews.labels[i]);
  }
  if (part.x.empty()) {
    throw Error(ErrorKind::value, "index_reviews: maxlen leaves no review",
                {.got = std::to_string(options.maxlen.value_or(0))});
  }
  return part;
}

}  // namespace

Tensor IndexedPart::labels() const {
  Tensor result({static_cast<Index>(y.size()), 1}, DType::float32);
  std::ranges::copy(y, result.values<float>().begin());
  return result;
}

std::vector<std::int32_t> indexed(const TextEncoder& encoder, std::string_view text) {
  std::vector<std::int32_t> ids = encoder.encode(text);
  ids.insert(ids.begin(), start_char);
  return ids;
}

IndexedReviews index_reviews(const ReviewParts& reviews, const IndexOptions& options) {
  check(options);
  TextEncoder encoder = encoder_of(reviews.train.texts, options.num_words);
  IndexedPart train = part_of(reviews.train, encoder, options, 1);
  IndexedPart test = part_of(reviews.test, encoder, options, 2);
  return {.train = std::move(train), .test = std::move(test), .encoder = std::move(encoder)};
}

}  // namespace unroll
