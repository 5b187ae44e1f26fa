// How fast texts become word numbers: Tokenizer, fit and encode, on one core.
//
//   build/bench/text [FILE or FOLDER] [megabytes]     without a file: made-up English
//
// The files of a folder are a text each, those of a file its lines; both are repeated up to the
// given size (33 MB, as the reviews of IMDB's training half, unless the files are more).
#include "unroll/text.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bench/made_up.h"

namespace {

namespace fs = std::filesystem;

std::string whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> texts_in(const fs::path& path) {
  std::vector<std::string> texts;
  if (fs::is_directory(path)) {
    for (const auto& file : fs::recursive_directory_iterator(path)) {
      if (file.is_regular_file()) texts.push_back(whole(file.path()));
    }
  } else {
    std::ifstream file(path, std::ios::binary);
    for (std::string line; std::getline(file, line);) texts.push_back(line);
  }
  return texts;
}

/// Of the processor: neighbours take time from this program, but do not make it slower.
double seconds_since(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void show(const char* what, double megabytes, std::vector<double> seconds) {
  std::ranges::sort(seconds);
  std::printf("%-14s median %.3f s  least %.3f s  %5.0f MB/s\n", what, seconds[seconds.size() / 2],
              seconds[0], megabytes / seconds[seconds.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> given =
      argc > 1 ? texts_in(argv[1]) : unroll::bench::english(25000);
  const std::size_t bytes = std::strtoull(argc > 2 ? argv[2] : "33", nullptr, 10) * 1'000'000;
  if (given.empty()) return 1;
  std::vector<std::string> texts;
  std::size_t size = 0;
  for (std::size_t i = 0; i < given.size() || size < bytes; ++i) {
    texts.push_back(given[i % given.size()]);
    size += texts.back().size() + 1;
  }
  std::vector<double> fit, encode, both;
  unroll::Index words = 0;
  for (int round = 0; round < 7; ++round) {
    unroll::Tokenizer tokenizer;
    const auto start = std::clock();
    tokenizer.fit_on_texts(texts);
    fit.push_back(seconds_since(start));
    const auto fitted = std::clock();
    const unroll::Sequences sequences = tokenizer.texts_to_sequences(texts);
    encode.push_back(seconds_since(fitted));
    both.push_back(fit.back() + encode.back());
    words = tokenizer.word_index().size();
  }
  const double megabytes = static_cast<double>(size) * 1e-6;
  std::printf("%zu texts, %.1f MB, %lld words\n", texts.size(), megabytes,
              static_cast<long long>(words));
  show("fit", megabytes, fit);
  show("encode", megabytes, encode);
  show("fit and encode", megabytes, both);
}
