// Reviews: texts with an opinion, as the Large Movie Review Dataset ("IMDB") has them.
//
//   ReviewParts reviews = read_reviews("aclImdb_v1.tar.gz");     // 25,000 + 25,000
//   IndexedReviews data = index_reviews(reviews, {.num_words = 5000});
//   Tensor x = pad_sequences(data.train.x, {.maxlen = 100});
//
// Source of the data: Maas et al., "Learning word vectors for sentiment analysis", ACL 2011.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/tensor.h"
#include "unroll/text.h"
#include "unroll/text_encoder.h"

namespace unroll {

/// Texts and their labels: 1 for a positive one, 0 for a negative one.
struct Reviews {
  std::vector<std::string> texts = {};
  std::vector<std::int32_t> labels = {};
};

struct ReviewParts {
  Reviews train = {}, test = {};
  std::string name = {};    ///< of the source, as refusals call it
  bool from_cache = false;  ///< whether the source was not read again
};

/// A review longer than this, in bytes, is refused.
inline constexpr Index longest_review = 1'000'000;

struct ReviewOptions {
  // Of tables.
  std::string text_column = {};   ///< empty: "text" or "review"
  std::string label_column = {};  ///< empty: "label" or "sentiment"
  double test = 0.2;              ///< share of the rows, drawn by `seed`, that is the test part
  std::uint64_t seed = 113;
  // Of archives and URLs.
  /// Keeps what was read in a file, and reads that the next time. An archive's is read while its
  /// path, size and time of change are the same; a URL's whatever the server has by then.
  bool cache = true;
  std::string cache_folder = {};  ///< empty: $XDG_CACHE_HOME/unroll, or ~/.cache/unroll
  /// Told the number of reviews read so far.
  std::function<void(Index)> progress = {};
};

/// Reads reviews from the official archive (aclImdb_v1.tar.gz, read as a stream), from the folder
/// that it unpacks to, or from a CSV table of texts and labels (positive, pos or 1; negative, neg
/// or 0); a path or an http(s) URL. "" is what lies in the folder $UNROLL_DATA_DIR:
/// aclImdb_v1.tar.gz, aclImdb.tar.gz or aclImdb. Reviews come in the order of their labels and
/// numbers; those of a table as `seed` shuffles them.
/// Throws: Error (file) where nothing can be read; Error (format) for a damaged archive, a part
///   without positive or negative reviews, a label that is neither, and a review that is empty,
///   too long or not UTF-8, each with its file or line; Error (unsupported) where unroll was built
///   without libarchive or libcurl.
ReviewParts read_reviews(std::string_view source, const ReviewOptions& options = {});

// --- as numbers ---

struct IndexOptions {
  Index num_words = 0;               ///< ids from this one on are `oov`; 0: every word has its id
  Index skip_top = 0;                ///< words whose id is below this are `oov`
  std::optional<Index> maxlen = {};  ///< reviews of so many ids or more are left out
  std::uint64_t seed = 113;          ///< of the order of the reviews
};

/// Reviews as lists of ids.
struct IndexedPart {
  Sequences x = {};
  std::vector<std::int32_t> y = {};
  Tensor labels() const;  ///< y as float32 (reviews, 1)
};
struct IndexedReviews {
  IndexedPart train, test;
  /// Knows the words below num_words: id 0 is padding, 1 begins a review, 2 is a word that is not
  /// known, 3 nothing, 4 the most frequent word.
  TextEncoder encoder;
};

/// The index of keras.datasets.imdb.load_data, with start_char 1, oov_char 2 and index_from 3:
/// words as Tokenizer cuts them, numbered by their frequency in the training part; `<br />` is the
/// word "br". Every review begins with id 1; both parts are shuffled.
/// Throws: Error (value) for options out of range, and where maxlen leaves no review.
IndexedReviews index_reviews(const ReviewParts& reviews, const IndexOptions& options = {});

/// A text as index_reviews makes ids of it, id 1 first.
std::vector<std::int32_t> indexed(const TextEncoder& encoder, std::string_view text);

}  // namespace unroll
