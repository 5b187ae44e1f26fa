// Reviews that were read once, kept in a file of the user's cache.
//
//   "unroll reviews 1\n"        the version
//   u32, key                    what they were read from, whole: names of files are only its hash
//   u32, u32                    reviews of the training and of the test part
//   u32 a review                bytes of its text, shifted left by 1, and its label
//   texts                       one after another
//   u32                         CRC-32C of all before
//
// Whole numbers are little-endian. A file that is not exactly this is as good as none.
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "src/base/crc32c.h"
#include "src/base/file.h"
#include "src/tasks/review_source.h"
#include "src/text/utf8.h"

namespace unroll::tasks {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view version = "unroll reviews 1\n";
constexpr Index most_bytes = Index{2} << 30;

/// None where the user has no home.
std::optional<fs::path> file_for(const std::string& key, const ReviewOptions& options) {
  fs::path folder = options.cache_folder;
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  if (folder.empty() && cache != nullptr && fs::path(cache).is_absolute()) {
    folder = fs::path(cache) / "unroll";
  } else if (folder.empty() && home != nullptr && *home != '\0') {
    folder = fs::path(home) / ".cache" / "unroll";
  }
  if (folder.empty()) return std::nullopt;
  constexpr char digits[] = "0123456789abcdef";
  std::string name = "reviews-";
  const std::uint32_t hash = base::crc32c(key);
  for (int shift = 28; shift >= 0; shift -= 4) name += digits[hash >> shift & 15];
  return folder / (name + ".cache");
}

void put(std::string& bytes, std::size_t number) {
  const auto value = static_cast<std::uint32_t>(number);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string written(const ReviewParts& reviews, const std::string& key) {
  std::string bytes(version);
  put(bytes, key.size());
  bytes += key;
  put(bytes, reviews.train.texts.size());
  put(bytes, reviews.test.texts.size());
  for (const Reviews* part : {&reviews.train, &reviews.test}) {
    for (std::size_t i = 0; i < part->texts.size(); ++i) {
      put(bytes, part->texts[i].size() << 1 | static_cast<std::size_t>(part->labels[i]));
    }
  }
  for (const Reviews* part : {&reviews.train, &reviews.test}) {
    for (const std::string& text : part->texts) bytes += text;
  }
  put(bytes, base::crc32c(bytes));
  return bytes;
}

/// Takes a file apart; `failed` once something is not there.
class Parts {
 public:
  explicit Parts(std::string_view rest) : rest_(rest) {}
  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint32_t number() {
    std::uint32_t value = 0;
    const std::string_view taken = bytes(sizeof value);
    if (!taken.empty()) std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }
  bool failed() const { return failed_; }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::optional<ReviewParts> parsed(std::string_view file, const std::string& key) {
  if (file.size() < version.size() + 4 || !file.starts_with(version)) return std::nullopt;
  const std::string_view content = file.substr(0, file.size() - 4);
  if (Parts(file.substr(content.size())).number() != base::crc32c(content)) return std::nullopt;
  Parts parts(content.substr(version.size()));
  if (parts.bytes(parts.number()) != key) return std::nullopt;
  ReviewParts reviews;
  const std::size_t train = parts.number(), test = parts.number();
  if ((train + test) * 4 > parts.left()) return std::nullopt;
  Parts sizes(parts.bytes(4 * (train + test)));
  for (Reviews* part : {&reviews.train, &reviews.test}) {
    const std::size_t count = part == &reviews.train ? train : test;
    part->texts.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t size = sizes.number();
      part->texts.emplace_back(parts.bytes(size >> 1));
      part->labels.push_back(static_cast<std::int32_t>(size & 1));
    }
  }
  if (parts.failed() || parts.left() != 0) return std::nullopt;
  return reviews;
}

}  // namespace

std::optional<ReviewParts> cached_reviews(const std::string& key, const ReviewOptions& options) {
  const auto path = file_for(key, options);
  std::error_code ignored;
  if (!path || !fs::exists(*path, ignored)) return std::nullopt;
  try {
    return parsed(base::read_file(path->string(), most_bytes), key);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void keep_reviews(const ReviewParts& reviews, const std::string& key,
                  const ReviewOptions& options) {
  const auto path = file_for(key, options);
  if (!path) return;
  std::error_code ignored;
  fs::create_directories(path->parent_path(), ignored);
  try {
    base::write_file(path->string(), written(reviews, key));
  } catch (const Error&) {
    // Without a cache the next run reads the source again, and nothing else changes.
  }
}

}  // namespace unroll::tasks
