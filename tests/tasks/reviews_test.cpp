#include "unroll/reviews.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/refused.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

/// A folder of its own for each test, gone afterwards.
class ReviewsTest : public testing::Test {
 protected:
  ReviewsTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("unroll_" + std::string(info->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ReviewsTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string written(const std::string& name, const std::string& bytes) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  ReviewOptions options() const { return {.cache_folder = path("cache")}; }
  std::string refusal_of(const std::string& source) const {
    std::string what = refused_with_kind([&] { return read_reviews(source, options()); });
    for (std::size_t at; (at = what.find(folder_.string())) != std::string::npos;) {
      what.replace(at, folder_.string().size(), "DIR");
    }
    return what;
  }

  fs::path folder_;
};

std::string octal(std::size_t value, int digits) {
  std::string text;
  for (; digits > 0; --digits, value /= 8)
    text.insert(text.begin(), static_cast<char>('0' + value % 8));
  return text;
}

/// A file in a tar archive. Source: POSIX.1-1988, ustar.
std::string tar_entry(const std::string& name, const std::string& bytes) {
  std::string header(512, '\0');
  const auto put = [&header](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(bytes.size(), 11));
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0"
                       "00",
                       8));
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return header + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

const std::vector<std::pair<std::string, std::string>>& files() {
  static const std::vector<std::pair<std::string, std::string>> list{
      {"aclImdb/README", "not a review"},
      {"aclImdb/test/pos/0_9.txt", "Good film."},
      {"aclImdb/test/neg/0_2.txt", "Bad film!<br /><br />Bad."},
      {"aclImdb/train/pos/10_9.txt", "Wonderful, wonderful."},
      {"aclImdb/train/pos/2_7.txt", "A good one"},
      {"aclImdb/train/neg/1_1.txt", "A bad bad bad one"},
      {"aclImdb/train/unsup/0_0.txt", "nobody knows"}};
  return list;
}
std::string tar(const std::string& more = {}) {
  std::string bytes;
  for (const auto& [name, text] : files()) bytes += tar_entry(name, text);
  return bytes + more + std::string(1024, '\0');
}

void check_the_files(const ReviewParts& reviews) {
  EXPECT_THAT(reviews.train.texts,
              ElementsAre("A bad bad bad one", "A good one", "Wonderful, wonderful."));
  EXPECT_THAT(reviews.train.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(reviews.test.texts, ElementsAre("Bad film!<br /><br />Bad.", "Good film."));
  EXPECT_THAT(reviews.test.labels, ElementsAre(0, 1));
}

#ifdef UNROLL_HAVE_ARCHIVE

TEST_F(ReviewsTest, ReadsTheArchive) {
  const std::string archive = written("reviews.tar", tar());
  const ReviewParts reviews = read_reviews(archive, options());
  check_the_files(reviews);
  EXPECT_EQ(reviews.name, archive);
  EXPECT_FALSE(reviews.from_cache);
}

TEST_F(ReviewsTest, ReadsItFromTheCacheTheNextTime) {
  const std::string archive = written("reviews.tar", tar());
  read_reviews(archive, options());
  const ReviewParts again = read_reviews(archive, options());
  EXPECT_TRUE(again.from_cache);
  check_the_files(again);
  ReviewOptions anew = options();
  anew.cache = false;
  EXPECT_FALSE(read_reviews(archive, anew).from_cache);
}

TEST_F(ReviewsTest, ADamagedCacheIsMadeAgain) {
  const std::string archive = written("reviews.tar", tar());
  read_reviews(archive, options());
  const std::string cache = fs::directory_iterator(path("cache"))->path().string();
  const auto whole = fs::file_size(cache);
  for (const std::uintmax_t size : {std::uintmax_t{0}, std::uintmax_t{10}, whole / 2, whole - 1}) {
    fs::resize_file(cache, size);
    const ReviewParts again = read_reviews(archive, options());
    EXPECT_FALSE(again.from_cache) << size;
    check_the_files(again);
    EXPECT_TRUE(read_reviews(archive, options()).from_cache) << size;
  }
  std::string bytes(whole, '\0');
  std::ifstream(cache, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(whole));
  bytes[whole / 2] ^= 1;
  std::ofstream(cache, std::ios::binary) << bytes;
  EXPECT_FALSE(read_reviews(archive, options()).from_cache);
}

TEST_F(ReviewsTest, AnArchiveThatChangedIsReadAgain) {
  const std::string archive = written("reviews.tar", tar());
  read_reviews(archive, options());
  written("reviews.tar", tar(tar_entry("aclImdb/train/pos/3_8.txt", "new")));
  const ReviewParts again = read_reviews(archive, options());
  EXPECT_FALSE(again.from_cache);
  EXPECT_EQ(again.train.texts.size(), 4u);
}

TEST_F(ReviewsTest, ACacheThatCannotBeWrittenChangesNothing) {
  const std::string archive = written("reviews.tar", tar());
  const std::string no_folder = written("file", "x");
  check_the_files(read_reviews(archive, {.cache_folder = no_folder}));
}

TEST_F(ReviewsTest, DamagedArchivesAreRefused) {
  EXPECT_EQ(refusal_of(written("cut.tar", tar().substr(0, 2 * 512 + 512 + 700))),
            "format: DIR/cut.tar: a damaged archive\n  got    Truncated tar archive");
  EXPECT_EQ(refusal_of(written("no.tar.gz", "\x1F\x8B\x08nothing")),
            "format: DIR/no.tar.gz: a damaged archive\n  got    Unrecognized archive format");
  EXPECT_EQ(
      refusal_of(written("few.tar", tar_entry("train/pos/0_9.txt", "x") + std::string(1024, '\0'))),
      "format: DIR/few.tar: no reviews in train/neg\n"
      "  want   train/pos, train/neg, test/pos and test/neg with files such as 127_9.txt");
}

TEST_F(ReviewsTest, ReviewsThatAreNoneAreRefused) {
  const auto with = [&](const std::string& name, const std::string& text) {
    return refusal_of(written("r.tar", tar(tar_entry(name, text))));
  };
  EXPECT_EQ(with("aclImdb/train/maybe/7_5.txt", "so so"),
            "format: DIR/r.tar, aclImdb/train/maybe/7_5.txt: a label that is neither positive nor "
            "negative\n  got    \"maybe\"\n  want   positive, pos or 1; negative, neg or 0");
  EXPECT_EQ(with("aclImdb/train/pos/7_9.txt", " \n"),
            "format: DIR/r.tar, aclImdb/train/pos/7_9.txt: an empty review");
  EXPECT_EQ(with("aclImdb/train/pos/7_9.txt", "caf\xE9"),
            "format: DIR/r.tar, aclImdb/train/pos/7_9.txt is not UTF-8\n"
            "  got    0xE9 at byte 3, counted from 0\n  want   UTF-8\n"
            "hint: iconv -f LATIN1 -t UTF-8 converts files");
  EXPECT_EQ(with("aclImdb/train/pos/7_9.txt", std::string(10'000'000, 'a')),
            "format: DIR/r.tar, aclImdb/train/pos/7_9.txt: too large\n"
            "  want   at most 1000000 bytes");
}

TEST_F(ReviewsTest, TheOfficialArchive) {
  const char* const data = std::getenv("UNROLL_DATA_DIR");
  if (data == nullptr || !fs::exists(fs::path(data) / "aclImdb.tar.gz")) {
    GTEST_SKIP() << "UNROLL_DATA_DIR has no aclImdb.tar.gz";
  }
  const std::string whole = (fs::path(data) / "aclImdb.tar.gz").string();
  Index told = 0;
  ReviewOptions options = this->options();
  options.progress = [&told](Index count) { told = count; };
  const ReviewParts reviews = read_reviews(whole, options);
  EXPECT_EQ(told, 50'000);
  for (const Reviews* part : {&reviews.train, &reviews.test}) {
    EXPECT_EQ(part->texts.size(), 25'000u);
    EXPECT_EQ(std::ranges::count(part->labels, 1), 12'500);
  }
  const IndexedReviews data5000 = index_reviews(reviews, {.num_words = 5000});
  EXPECT_EQ(data5000.encoder.size(), 5000);
  // The order of frequencies that everybody who has used this data set knows.
  EXPECT_EQ(data5000.encoder.piece(4), "the");
  EXPECT_EQ(data5000.encoder.piece(5), "and");
  EXPECT_EQ(data5000.encoder.piece(6), "a");
  EXPECT_EQ(data5000.encoder.piece(7), "of");
  EXPECT_EQ(data5000.encoder.piece(10), "br");
  // Cut short, as a download is.
  std::string bytes(1 << 20, '\0');
  std::ifstream(whole, std::ios::binary).read(bytes.data(), 1 << 20);
  EXPECT_EQ(refusal_of(written("short.tar.gz", bytes)),
            "format: DIR/short.tar.gz: a damaged archive\n  got    truncated gzip input");
}

#endif

TEST_F(ReviewsTest, ReadsTheFolder) {
  for (const auto& [name, text] : files()) written(name, text);
  check_the_files(read_reviews(path("aclImdb"), options()));
  check_the_files(read_reviews(folder_.string(), options()));
  written("aclImdb/test/pos/1_7.txt", "");
  EXPECT_EQ(refusal_of(path("aclImdb")), "format: DIR/aclImdb, test/pos/1_7.txt: an empty review");
}

TEST_F(ReviewsTest, ReadsATable) {
  const std::string table =
      written("t.csv",
              "review,sentiment\n\"so, good\",positive\nbad,negative\nfine,Pos\npoor,NEG\n"
              "great,positive\nawful,negative\nnice,positive\nugly,negative\nfun,positive\n"
              "dull,negative\n");
  const ReviewParts reviews = read_reviews(table, {.test = 0.4});
  EXPECT_EQ(reviews.train.texts.size(), 6u);
  EXPECT_EQ(reviews.test.texts.size(), 4u);
  const auto found = std::ranges::find(reviews.train.texts, "so, good");
  const auto other = std::ranges::find(reviews.test.texts, "so, good");
  EXPECT_NE(found == reviews.train.texts.end(), other == reviews.test.texts.end());
  EXPECT_EQ(read_reviews(table, {.test = 0.4}).train.texts, reviews.train.texts);
  EXPECT_NE(read_reviews(table, {.test = 0.4, .seed = 3}).train.texts, reviews.train.texts);
}

TEST_F(ReviewsTest, TablesThatHoldNoReviewsAreRefused) {
  EXPECT_EQ(refusal_of(written("t.csv", "a,b\nx,1\ny,0\n")),
            "format: DIR/t.csv: no column of texts\n  got    a, b\n"
            "  want   a column named text or review");
  EXPECT_EQ(
      refusal_of(written("t.csv", "text,label\nx,1\ny,2\n")),
      "format: DIR/t.csv, line 3, column label: a label that is neither positive nor "
      "negative\n  got    \"another number\"\n  want   positive, pos or 1; negative, neg or 0");
  EXPECT_EQ(refusal_of(written("t.csv", "text,label\nx,pos\ny,so-so\n")),
            "format: DIR/t.csv, line 3, column label: a label that is neither positive nor "
            "negative\n  got    \"so-so\"\n  want   positive, pos or 1; negative, neg or 0");
  EXPECT_EQ(refusal_of(written("t.csv", "text,label\nx,1\n,0\n")),
            "format: DIR/t.csv, line 3: an empty review");
  EXPECT_EQ(
      refusal_of(written("t.csv", "text,label\nx,1\n" + std::string(10'000'000, 'a') + ",0\n")),
      "format: DIR/t.csv, line 3: too long a review\n  got    10000000 bytes\n"
      "  want   at most 1000000");
  EXPECT_EQ(refusal_of(written("t.csv", "text,label\nx,1\ny,1\n")),
            "format: DIR/t.csv: too few reviews of one of the labels\n  got    2 reviews\n"
            "  want   positive and negative ones in both parts");
  EXPECT_EQ(refusal_of(path("nothing.tar.gz")), "file: DIR/nothing.tar.gz: no such file");
}

ReviewParts small() {
  return {.train = {.texts = {"the the the film film<br />good", "the BAD film"}, .labels = {1, 0}},
          .test = {.texts = {"a good film"}, .labels = {1}}};
}

TEST(ReviewIndex, IsThatOfKeras) {
  const IndexedReviews data = index_reviews(small());
  EXPECT_EQ(data.encoder.size(), 9);
  EXPECT_EQ(data.encoder.piece(4), "the");
  EXPECT_EQ(data.encoder.piece(5), "film");
  EXPECT_EQ(data.encoder.piece(6), "br");
  EXPECT_EQ(data.encoder.piece(7), "good");
  EXPECT_EQ(data.encoder.piece(8), "bad");
  ASSERT_EQ(data.train.x.size(), 2u);
  const std::size_t first = data.train.y[0] == 1 ? 0 : 1;
  EXPECT_THAT(data.train.x[first], ElementsAre(1, 4, 4, 4, 5, 5, 6, 7));
  EXPECT_THAT(data.train.x[1 - first], ElementsAre(1, 4, 8, 5));
  EXPECT_THAT(data.test.x[0], ElementsAre(1, 2, 7, 5));
  EXPECT_EQ(data.test.labels().shape(), Shape({1, 1}));
}

TEST(ReviewIndex, LeavesOutWhatIsAskedFor) {
  EXPECT_THAT(index_reviews(small(), {.num_words = 6}).test.x[0], ElementsAre(1, 2, 2, 5));
  EXPECT_THAT(index_reviews(small(), {.skip_top = 6}).test.x[0], ElementsAre(2, 2, 7, 2));
  EXPECT_EQ(index_reviews(small(), {.maxlen = 5}).train.x.size(), 1u);
  EXPECT_EQ(refused_with_kind([] { return index_reviews(small(), {.maxlen = 2}); }),
            "value: index_reviews: maxlen leaves no review\n  got    2");
  EXPECT_EQ(refused_with_kind([] { return index_reviews(small(), {.num_words = 4}); }),
            "value: index_reviews: num_words leaves no word\n  got    4\n"
            "  want   0 for all words, or at least 5: the first four ids are no words");
  EXPECT_EQ(refused_with_kind([] { return index_reviews(small(), {.skip_top = -1}); }),
            "value: index_reviews: skip_top and maxlen may not be negative");
}

TEST(ReviewIndex, ShufflesBothClassesBySeed) {
  ReviewParts many;
  for (int i = 0; i < 100; ++i) {
    many.train.texts.push_back("w" + std::to_string(i));
    many.train.labels.push_back(i < 50 ? 0 : 1);
  }
  many.test = many.train;
  const IndexedReviews data = index_reviews(many);
  const auto last = std::count(data.train.y.end() - 20, data.train.y.end(), 1);
  EXPECT_GT(last, 3);
  EXPECT_LT(last, 17);
  EXPECT_NE(data.train.y, data.test.y);
  EXPECT_EQ(index_reviews(many).train.x, data.train.x);
  EXPECT_NE(index_reviews(many, {.seed = 1}).train.x, data.train.x);
}

}  // namespace
}  // namespace unroll
