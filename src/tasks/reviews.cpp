#include "unroll/reviews.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "src/data/archive.h"
#include "src/data/source.h"
#include "src/tasks/review_source.h"
#include "src/text/utf8.h"

namespace unroll {

namespace tasks {

namespace {

namespace fs = std::filesystem;

constexpr Index most_download = Index{1} << 30;

std::string refused_place(const std::string& place, const char* what) {
  return place + ": " + what;
}

/// The beginning of a file, as far as it says what kind it is.
std::string beginning_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 512> bytes{};
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return {bytes.data(), static_cast<std::size_t>(file.gcount())};
}

/// Path, size and time of change of a file, which a key of the cache is made of.
std::string key_of_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  std::error_code ignored;
  return fs::weakly_canonical(path, ignored).string() + "\n" + std::to_string(status.st_size) +
         "\n" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

template <class F>
ReviewParts through_cache(const std::string& key, const std::string& name,
                          const ReviewOptions& options, F read) {
  if (!options.cache || key.empty()) return read();
  if (auto kept = cached_reviews(key, options)) {
    kept->name = name;
    kept->from_cache = true;
    return *std::move(kept);
  }
  ReviewParts reviews = read();
  keep_reviews(reviews, key, options);
  return reviews;
}

ReviewParts read_url(const std::string& url, const ReviewOptions& options) {
  const std::string name = data::source_name(url);
  return through_cache(url, name, options, [&] {
    const data::Bytes bytes = data::fetch(url, {.max_bytes = most_download});
    return data::is_archive(bytes.view()) ? read_review_archive(bytes.view(), name, options)
                                          : parse_review_table(bytes.view(), name, options);
  });
}

std::string usual_place() {
  const char* const folder = std::getenv("UNROLL_DATA_DIR");
  std::error_code ignored;
  for (const char* name : {"aclImdb_v1.tar.gz", "aclImdb.tar.gz", "aclImdb"}) {
    if (folder == nullptr) break;
    const fs::path path = fs::path(folder) / name;
    if (fs::exists(path, ignored)) return path.string();
  }
  throw Error(ErrorKind::file, "no reviews to read",
              {.got = folder == nullptr ? "no path, and UNROLL_DATA_DIR is not set"
                                        : "no path, and no aclImdb.tar.gz in UNROLL_DATA_DIR",
               .want = "an archive, a folder, a CSV table or a URL of one",
               .hint = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz is the "
                       "official archive"});
}

}  // namespace

void ReviewCollector::add(Reviews& part, std::string_view text, std::int32_t label,
                          const std::string& place) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw Error(ErrorKind::format, refused_place(place, "an empty review"));
  }
  if (static_cast<Index>(text.size()) > longest_review) {
    throw Error(ErrorKind::format, refused_place(place, "too long a review"),
                {.got = std::to_string(text.size()) + " bytes",
                 .want = "at most " + std::to_string(longest_review)});
  }
  if (const auto wrong = text::first_invalid(text)) throw text::not_utf8(text, *wrong, place);
  part.texts.emplace_back(text);
  part.labels.push_back(label);
  ++count_;
  if (options_.progress && count_ % 1000 == 0) options_.progress(count_);
}

std::optional<std::int32_t> label_of(std::string_view word) {
  std::string small(word);
  std::ranges::transform(small, small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  if (small == "pos" || small == "positive" || small == "1") return 1;
  if (small == "neg" || small == "negative" || small == "0") return 0;
  return std::nullopt;
}

Error no_label(const std::string& place, std::string_view got) {
  return Error(ErrorKind::format, place + ": a label that is neither positive nor negative",
               {.got = "\"" + std::string(got.substr(0, 60)) + "\"",
                .want = "positive, pos or 1; negative, neg or 0"});
}

}  // namespace tasks

ReviewParts read_reviews(std::string_view source, const ReviewOptions& options) {
  const std::string path = source.empty() ? tasks::usual_place() : std::string(source);
  if (data::is_url(path)) return tasks::read_url(path, options);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return tasks::read_review_folder(path, options);
  if (path == "-" || !data::is_archive(tasks::beginning_of(path))) {
    return tasks::read_review_table(path, options);
  }
  return tasks::through_cache(tasks::key_of_file(path), path, options,
                              [&] { return tasks::read_review_archive(path, options); });
}

}  // namespace unroll
