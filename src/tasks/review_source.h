// Where reviews come from, and the cache between.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/error.h"
#include "unroll/reviews.h"

namespace unroll::tasks {

/// Adds reviews to a part, refusing those that are none.
class ReviewCollector {
 public:
  explicit ReviewCollector(const ReviewOptions& options) : options_(options) {}

  /// `place` is what refusals call the review. Throws: Error (format).
  void add(Reviews& part, std::string_view text, std::int32_t label, const std::string& place);

 private:
  const ReviewOptions& options_;
  Index count_ = 0;
};

/// 1, 0, or none for a word that is neither.
std::optional<std::int32_t> label_of(std::string_view word);
Error no_label(const std::string& place, std::string_view got);

/// The parts of the archive's or folder's files, in the order of their labels and numbers.
ReviewParts read_review_folder(const std::string& path, const ReviewOptions& options);
ReviewParts read_review_archive(const std::string& path, const ReviewOptions& options);
ReviewParts read_review_archive(std::string_view bytes, const std::string& name,
                                const ReviewOptions& options);
ReviewParts read_review_table(std::string_view source, const ReviewOptions& options);
ReviewParts parse_review_table(std::string_view bytes, const std::string& name,
                               const ReviewOptions& options);

/// What was read from a source that is known by this key; none where nothing was kept, or where it
/// is damaged.
std::optional<ReviewParts> cached_reviews(const std::string& key, const ReviewOptions& options);
/// Keeps it, if that is possible.
void keep_reviews(const ReviewParts& reviews, const std::string& key, const ReviewOptions& options);

}  // namespace unroll::tasks
