// The reviews of the official archive, and of the folder that it unpacks to:
// {train,test}/{pos,neg}/NUMBER_RATING.txt. Everything else in it, such as the reviews without a
// label in train/unsup, is passed over.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <numeric>

#include "src/base/file.h"
#include "src/data/archive.h"
#include "src/tasks/review_source.h"

namespace unroll::tasks {

namespace {

namespace fs = std::filesystem;

/// What a path says: "aclImdb/train/pos/127_9.txt".
struct Place {
  bool train = false;
  std::string_view label;  ///< the folder
  Index number = 0;
};

std::optional<Place> place_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() < 3 || !parts.back().ends_with(".txt")) return std::nullopt;
  const std::string_view part = parts[parts.size() - 3], file = parts.back();
  if (part != "train" && part != "test") return std::nullopt;
  Place place{.train = part == "train", .label = parts[parts.size() - 2]};
  std::from_chars(file.data(), file.data() + file.size(), place.number);
  return place;
}

class Files {
 public:
  Files(std::string name, const ReviewOptions& options)
      : name_(std::move(name)), collector_(options) {}

  bool wants(std::string_view path) const {
    const auto place = place_of(path);
    return place && place->label != "unsup";
  }
  /// Requires: wants(path).
  void take(std::string_view path, std::string_view bytes) {
    const Place place = *place_of(path);
    const std::string where = name_ + ", " + std::string(path);
    const bool known = place.label == "pos" || place.label == "neg";
    if (!known) throw no_label(where, place.label);
    Part& part = place.train ? train_ : test_;
    collector_.add(part.reviews, bytes, *label_of(place.label), where);
    part.numbers.push_back(place.number);
  }

  ReviewParts finish() {
    check(train_, "train");
    check(test_, "test");
    return {.train = sorted(std::move(train_)), .test = sorted(std::move(test_)), .name = name_};
  }

 private:
  struct Part {
    Reviews reviews;
    std::vector<Index> numbers;
  };

  void check(const Part& part, const char* which) const {
    for (const std::int32_t label : {1, 0}) {
      if (std::ranges::count(part.reviews.labels, label) > 0) continue;
      const std::string folder = std::string(which) + (label == 1 ? "/pos" : "/neg");
      throw Error(ErrorKind::format, name_ + ": no reviews in " + folder,
                  {.want = "train/pos, train/neg, test/pos and test/neg with files such as "
                           "127_9.txt"});
    }
  }

  static Reviews sorted(Part part) {
    const auto& labels = part.reviews.labels;
    std::vector<std::size_t> order(labels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(labels[a], part.numbers[a]) < std::pair(labels[b], part.numbers[b]);
    });
    Reviews result;
    for (const std::size_t i : order) {
      result.texts.push_back(std::move(part.reviews.texts[i]));
      result.labels.push_back(labels[i]);
    }
    return result;
  }

  std::string name_;
  ReviewCollector collector_;
  Part train_, test_;
};

data::ArchiveOptions wanted_by(const Files& files) {
  return {.most_entry_bytes = longest_review,
          .wanted = [&files](std::string_view path) { return files.wants(path); }};
}

}  // namespace

ReviewParts read_review_archive(const std::string& path, const ReviewOptions& options) {
  Files files(path, options);
  data::read_archive_file(path, wanted_by(files), [&files](const data::ArchiveEntry& entry) {
    files.take(entry.path, entry.bytes);
  });
  return files.finish();
}

ReviewParts read_review_archive(std::string_view bytes, const std::string& name,
                                const ReviewOptions& options) {
  Files files(name, options);
  data::read_archive(bytes, name, wanted_by(files), [&files](const data::ArchiveEntry& entry) {
    files.take(entry.path, entry.bytes);
  });
  return files.finish();
}

ReviewParts read_review_folder(const std::string& path, const ReviewOptions& options) {
  Files files(path, options);
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator at(path, error), end; at != end; at.increment(error)) {
    if (at->is_regular_file(error) && files.wants(at->path().string())) {
      found.push_back(at->path().string());
    }
  }
  if (error) throw Error(ErrorKind::file, path + ": cannot be read", {.got = error.message()});
  // The order that a file system has is nobody's business.
  std::ranges::sort(found);
  for (const std::string& file : found) {
    const std::string bytes = base::read_file(file, longest_review + 1);
    files.take(fs::path(file).lexically_relative(path).string(), bytes);
  }
  return files.finish();
}

}  // namespace unroll::tasks
