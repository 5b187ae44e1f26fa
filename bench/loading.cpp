// Data on their way to a model, timed on request (bench/side.h).
//
//   build/bench/loading csv            20 MB of dates and prices from a file in the page cache
//   build/bench/loading tokenize       made-up English: Tokenizer, fit and encode
//   build/bench/loading windows        a million windows of 50 rows, cut, and gathered in batches
//   build/bench/loading reviews        the 50,000 of IMDB, from $UNROLL_DATA_DIR
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <numeric>
#include <string>

#include "bench/made_up.h"
#include "bench/side.h"
#include "unroll/csv.h"
#include "unroll/reviews.h"
#include "unroll/text.h"
#include "unroll/windows.h"

namespace {

using namespace unroll;

/// `rows` and `bytes`: of one pass.
template <class Pass>
int measure(Pass pass, Index rows, std::size_t bytes) {
  const auto step = [&] {
    const auto start = bench::Clock::now();
    pass();
    return bench::seconds_since(start);
  };
  step();
  return bench::answer(step, ", \"rows\": " + std::to_string(rows) +
                                 ", \"megabytes\": " + std::to_string(double(bytes) * 1e-6));
}

int csv() {
  const std::string text = bench::prices(20'000'000);
  const auto path = std::filesystem::temp_directory_path() / "unroll-bench-loading.csv";
  std::ofstream(path, std::ios::binary) << text;
  const Index rows = read_csv(path.string()).rows();
  const int status = measure([&] { read_csv(path.string()); }, rows, text.size());
  std::filesystem::remove(path);
  return status;
}

int tokenize() {
  const std::vector<std::string> texts = bench::english(5000);
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return measure(
      [&] {
        Tokenizer tokenizer;
        tokenizer.fit_on_texts(texts);
        tokenizer.texts_to_sequences(texts);
      },
      static_cast<Index>(texts.size()), bytes);
}

int cut_windows() {
  constexpr Index count = 1'000'000, batch = 1000;
  const Tensor series = Tensor::of<float>({count + 50, 1}, bench::numbers(count + 50));
  std::vector<Index> numbers(batch);
  return measure(
      [&] {
        const Windows cut = windows(series, {.length = 50});
        for (Index first = 0; first < count; first += batch) {
          std::iota(numbers.begin(), numbers.end(), first);
          cut.x.gather(numbers);
        }
      },
      count, static_cast<std::size_t>(count) * 50 * sizeof(float));
}

int reviews() {
  ReviewOptions options;
  options.cache = false;
  const ReviewParts parts = read_reviews("", options);
  std::size_t bytes = 0;
  for (const Reviews* part : {&parts.train, &parts.test}) {
    for (const std::string& text : part->texts) bytes += text.size();
  }
  const auto count = static_cast<Index>(parts.train.texts.size() + parts.test.texts.size());
  return measure([&] { read_reviews("", options); }, count, bytes);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count > 1 ? arguments[1] : "";
  try {
    if (what == "csv") return csv();
    if (what == "tokenize") return tokenize();
    if (what == "windows") return cut_windows();
    if (what == "reviews") return reviews();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  std::cerr << "loading: csv, tokenize, windows or reviews\n";
  return 2;
}
