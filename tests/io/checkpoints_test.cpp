// Checkpoints: files of weights and bundles while a model is trained.
#include "unroll/checkpoints.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/folder.h"
#include "tests/model/training_data.h"
#include "unroll/bundle.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;

// --- ModelCheckpoint ---

TEST(ModelCheckpoint, SavesOnlyWhatIsBetter) {
  const Folder folder;
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.01);
  const auto best =
      model_checkpoint(folder / "best.unroll", {.monitor = "loss", .save_best_only = true});
  std::vector<std::string> after;
  const auto watch = lambda_callback(
      {.on_epoch_end = [&](Model& same, Index, const Logs&) { after.push_back(bytes_of(same)); }});
  model.fit(data.x, data.y,
            {.epochs = 4,
             .callbacks = {script("loss", {3, 1, 2, NAN}), best, watch},
             .validation_data = Validation{data.x, data.y}});
  EXPECT_EQ(best->best(), 1);
  EXPECT_EQ(bytes_of(load_bundle(folder / "best.unroll").model) == after[1], true);
  EXPECT_EQ(folder.files(), 1U);
}

TEST(ModelCheckpoint, FillsInItsPath) {
  const Folder folder;
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  const auto each = model_checkpoint(folder / "{epoch:02d}-{val_loss:.2f}.unroll");
  model.fit(data.x, data.y,
            {.epochs = 2,
             .callbacks = {script("val_loss", {0.256, 1.5}), each},
             .validation_data = Validation{data.x, data.y}});
  EXPECT_TRUE(fs::exists(folder / "01-0.26.unroll"));
  EXPECT_TRUE(fs::exists(folder / "02-1.50.unroll"));
  EXPECT_EQ(each->last_path(), folder / "02-1.50.unroll");
}

TEST(ModelCheckpoint, SavesAfterSoManyBatchesAcrossEpochs) {
  const Folder folder;
  const Windows data = rows_of(5, [](Index) { return 1; });
  Sequential model = scale(0, 0.01);
  const auto every = model_checkpoint(folder / "{epoch}.{batch}.safetensors",
                                      {.save_weights_only = true, .save_freq = 3});
  model.fit(data.x, data.y, {.batch_size = 1, .epochs = 2, .callbacks = {every}});
  EXPECT_EQ(folder.files(), 3U);
  for (const char* name : {"1.3", "2.1", "2.4"}) {
    EXPECT_TRUE(fs::exists(folder / (std::string(name) + ".safetensors"))) << name;
  }
}

TEST(Weights, GoThroughAFileBitForBit) {
  const Folder folder;
  Sequential model = forecaster(), other = forecaster(), wrong = scale(1, 0.1);
  model.compile({.seed = 1});
  other.compile({.seed = 2});
  save_weights(model, folder / "weights.safetensors");
  EXPECT_EQ(bytes_of(model) == bytes_of(other), false);
  load_weights(other, folder / "weights.safetensors");
  EXPECT_EQ(bytes_of(model) == bytes_of(other), true);
  const std::string path = folder / "weights.safetensors";
  EXPECT_EQ(refusal([&] { load_weights(wrong, path); }),
            "format: " + path +
                ": weights of another model\n"
                "  got    float32 (50, 1) for \"dense/kernel\"\n"
                "  want   \"dense/kernel\" (1, 1)");
}

TEST(Refusal, OfCheckpointOptions) {
  EXPECT_EQ(refusal([] { model_checkpoint(""); }), "value: ModelCheckpoint: the path is empty");
  EXPECT_EQ(refusal([] { backup_and_restore(""); }), "value: BackupAndRestore: the path is empty");
  EXPECT_EQ(refusal([] { model_checkpoint("a", {.save_freq = 0}); }),
            "value: ModelCheckpoint: save_freq is out of range\n"
            "  got    0\n"
            "  want   \"epoch\", or 1 or more batches");
  EXPECT_EQ(refusal([] { backup_and_restore("a", {.save_freq = -1}); }),
            "value: BackupAndRestore: save_freq is out of range\n"
            "  got    -1\n"
            "  want   \"epoch\", or 1 or more batches");
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  const auto fit_with = [&](const std::shared_ptr<Callback>& callback) {
    return refusal([&] { model.fit(data.x, data.y, {.callbacks = {callback}}); });
  };
  EXPECT_EQ(fit_with(model_checkpoint("{val_loss}.unroll")),
            "value: ModelCheckpoint: the path cannot be filled in\n"
            "  got    \"{val_loss}.unroll\": argument not found\n"
            "  want   names among epoch, batch, loss, mae\n"
            "hint: \"{epoch:02d}-{loss:.2f}.unroll\"; {{ stands for a brace");
  EXPECT_EQ(fit_with(model_checkpoint("a.unroll", {.save_best_only = true})),
            "value: ModelCheckpoint watches a value that is not there\n"
            "  got    \"val_loss\"\n"
            "  want   one of loss, mae\n"
            "hint: val_... needs validation_split or validation_data");
  EXPECT_EQ(fit_with(model_checkpoint("/no/such/folder/a.unroll")),
            "file: /no/such/folder/a.unroll: cannot be written\n"
            "  got    no such file or directory\n"
            "hint: make its folder first");
}

}  // namespace
}  // namespace unroll
