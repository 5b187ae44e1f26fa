// Logs in files: lines that read back, and event files that another program reads.
#include "unroll/loggers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "src/io/crc32c.h"
#include "src/io/event_file.h"
#include "tests/folder.h"
#include "tests/model/training_data.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;

class Loggers : public testing::Test {
 protected:
  Folder own_;
  std::string folder_ = own_ / "";
};

// --- CSVLogger ---

TEST_F(Loggers, CsvHasALineAnEpoch) {
  const std::string path = folder_ + "log.csv";
  const Windows data = rows_of(2, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  const FitOptions options{.epochs = 3,
                           .callbacks = {script("loss", {0.1, 1.0 / 3, NAN}), csv_logger(path)},
                           .validation_data = Validation{data.x, data.y},
                           .validation_freq = 2};
  model.fit(data.x, data.y, options);
  const std::string want =
      "epoch,loss,mae,val_loss,val_mae\n"
      "0,0.1,1,NA,NA\n"
      "1,0.3333333333333333,1,1,1\n"
      "2,nan,1,NA,NA\n";
  EXPECT_EQ(content(path), want);
  model.fit(data.x, data.y, options);
  EXPECT_EQ(content(path), want);  // a new fit begins a new log
}

TEST_F(Loggers, CsvGoesOnWithAFile) {
  const std::string path = folder_ + "log.csv";
  const Windows data = rows_of(2, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  for (const Index epoch : {0, 1}) {
    model.fit(data.x, data.y,
              {.epochs = epoch + 1,
               .callbacks = {csv_logger(path, {.separator = ";", .append = true})},
               .initial_epoch = epoch});
  }
  EXPECT_EQ(content(path), "epoch;loss;mae\n0;1;1\n1;1;1\n");
}

// --- TensorBoard ---

TEST(Crc32c, HasItsKnownValues) {
  // RFC 3720, appendix B.4.
  EXPECT_EQ(io::crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(io::crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(io::crc32c("123456789"), 0xE3069283U);
}

TEST(Histogram, CountsWhatIsFinite) {
  const std::vector<double> values{0, 1, 2, 3, 4, 4, NAN, INFINITY};
  const io::Histogram made = io::histogram_of(values, 4);
  EXPECT_EQ(made.count, 6);
  EXPECT_EQ(made.sum, 14);
  EXPECT_EQ(made.sum_of_squares, 46);
  EXPECT_EQ(made.limits, (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(made.counts, (std::vector<double>{1, 1, 1, 3}));
  const io::Histogram one = io::histogram_of(std::vector<double>{2, 2}, 30);
  EXPECT_EQ(one.limits, std::vector<double>{2});
  EXPECT_EQ(one.counts, std::vector<double>{2});
}

/// What a reader that shares no line with the writer prints of all files of a folder.
std::string read_events(const std::string& folder, int* status = nullptr) {
  // Compilers may be given paths that count from the build folder, where this program lies.
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path script = (here / fs::path(__FILE__)).parent_path() / "read_events.py";
  std::string command = "python3 '" + script.string() + "'";
  for (const auto& entry : fs::directory_iterator(folder)) {
    EXPECT_TRUE(entry.path().filename().string().starts_with("events.out.tfevents."));
    command += " '" + entry.path().string() + "'";
  }
  const auto close = [&](FILE* pipe) {
    const int code = ::pclose(pipe);
    if (status != nullptr) *status = code;
  };
  std::unique_ptr<FILE, decltype(close)> pipe(::popen(command.c_str(), "r"), close);
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t count = std::fread(part.data(), 1, part.size(), pipe.get())) {
    text.append(part.data(), count);
  }
  return text;
}

bool python_is_here() { return std::system("python3 -c '' >/dev/null 2>&1") == 0; }

TEST_F(Loggers, EventFilesAreReadByAnotherProgram) {
  if (!python_is_here()) GTEST_SKIP() << "python3 is not installed";
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  const std::string logs = folder_ + "logs";
  model.fit(
      data.x, data.y,
      {.batch_size = 2,
       .epochs = 2,
       .callbacks = {script("loss", {0.25, 1.5}), script("val_loss", {0.5, 3}),
                     tensor_board({.log_dir = logs, .histogram_freq = 1, .update_freq = "batch"})},
       .validation_data = Validation{data.x, data.y}});
  EXPECT_EQ(read_events(logs + "/train"),
            "batch_loss 0 1.0\nbatch_mae 0 1.0\n"
            "batch_loss 1 1.0\nbatch_mae 1 1.0\n"
            "epoch_loss 0 0.25\nepoch_mae 0 1.0\nepoch_learning_rate 0 0.0\n"
            "dense/kernel/histogram 0 histogram 1.0 0.0 0.0 0.0 1 1\n"
            "batch_loss 2 1.0\nbatch_mae 2 1.0\n"
            "batch_loss 3 1.0\nbatch_mae 3 1.0\n"
            "epoch_loss 1 1.5\nepoch_mae 1 1.0\nepoch_learning_rate 1 0.0\n"
            "dense/kernel/histogram 1 histogram 1.0 0.0 0.0 0.0 1 1\n");
  EXPECT_EQ(read_events(logs + "/validation"),
            "evaluation_loss_vs_iterations 2 1.0\nevaluation_mae_vs_iterations 2 1.0\n"
            "epoch_loss 0 0.5\nepoch_mae 0 1.0\n"
            "evaluation_loss_vs_iterations 4 1.0\nevaluation_mae_vs_iterations 4 1.0\n"
            "epoch_loss 1 3.0\nepoch_mae 1 1.0\n");
}

TEST_F(Loggers, EventFilesOfTwoFitsStandBesideEachOther) {
  if (!python_is_here()) GTEST_SKIP() << "python3 is not installed";
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  const std::string logs = folder_ + "logs";
  for (int i = 0; i < 2; ++i) {
    model.fit(data.x, data.y, {.callbacks = {tensor_board({.log_dir = logs})}});
  }
  const std::string once = "epoch_loss 0 1.0\nepoch_mae 0 1.0\nepoch_learning_rate 0 0.0\n";
  EXPECT_EQ(read_events(logs + "/train"), once + once);
  EXPECT_FALSE(fs::exists(logs + "/validation"));
}

TEST_F(Loggers, TheReaderSeesAWrongByte) {
  if (!python_is_here()) GTEST_SKIP() << "python3 is not installed";
  io::EventFile file(folder_);
  file.scalar("a", 300, 2.5);
  file.histogram("b", 1, io::histogram_of(std::vector<double>{1, 2, 3}, 2));
  file.flush();
  EXPECT_EQ(read_events(folder_), "a 300 2.5\nb 1 histogram 3.0 1.0 3.0 6.0 2 1 2\n");
  const std::string path = fs::directory_iterator(folder_)->path().string();
  std::string bytes = content(path);
  bytes[bytes.size() - 10] = static_cast<char>(bytes[bytes.size() - 10] ^ 1);
  std::ofstream(path, std::ios::binary) << bytes;
  int status = 0;
  EXPECT_NE(read_events(folder_, &status).find("refused: checksum of the bytes"),
            std::string::npos);
  EXPECT_NE(status, 0);
}

TEST(Refusal, OfLoggerOptions) {
  EXPECT_EQ(refusal([] { csv_logger(""); }), "value: CSVLogger: the path is empty");
  EXPECT_EQ(refusal([] { csv_logger("a", {.separator = ""}); }),
            "value: CSVLogger: the separator is empty\n  want   such as \",\"");
  EXPECT_EQ(refusal([] { tensor_board({.log_dir = ""}); }), "value: TensorBoard: log_dir is empty");
  EXPECT_EQ(refusal([] { tensor_board({.histogram_freq = -1}); }),
            "value: TensorBoard: histogram_freq is out of range\n"
            "  got    -1\n"
            "  want   0 or more epochs");
  EXPECT_EQ(refusal([] { tensor_board({.update_freq = 0}); }),
            "value: TensorBoard: update_freq is out of range\n"
            "  got    0\n"
            "  want   \"epoch\", or 1 or more batches");
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  EXPECT_EQ(refusal([&] {
              model.fit(data.x, data.y, {.callbacks = {csv_logger("/no/such/folder/log.csv")}});
            }),
            "file: /no/such/folder/log.csv: cannot be written\n"
            "  got    No such file or directory");
}

}  // namespace
}  // namespace unroll
