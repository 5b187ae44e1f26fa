#include "unroll/plot_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/refused.h"
#include "unroll/attention.h"
#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

using testing::HasSubstr;
using testing::Not;

Sequential small() {
  return Sequential({InputLayer({.shape = {5, 2}}), SimpleRNN(3, {.activation = "relu"}),
                     Dense(1, {.name = "answer"})});
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(ToDot, ASequentialIsAChainOfItsLayers) {
  const std::string text = to_dot(small());
  EXPECT_THAT(text, HasSubstr("digraph \"sequential\" {\n"));
  EXPECT_THAT(text, HasSubstr("<b>simple_rnn</b>"));
  EXPECT_THAT(text, HasSubstr("<b>answer</b>"));
  EXPECT_THAT(text, HasSubstr("  layer_0 -> layer_1\n"));
  EXPECT_EQ(count(text, " [label="), 2U) << text;
  EXPECT_EQ(count(text, " -> "), 1U) << text;
}

TEST(ToDot, ShowsWhatIsAskedFor) {
  Sequential model = small();
  model.get_layer("answer").set_trainable(false);
  const std::string text = to_dot(model, {.show_shapes = true,
                                          .show_layer_names = false,
                                          .rankdir = "LR",
                                          .dpi = 96,
                                          .show_layer_activations = true,
                                          .show_trainable = true});
  for (const char* part :
       {"rankdir=LR, dpi=96", "<b>SimpleRNN</b>", ">activation relu<", ">activation linear<",
        ">in (None, 5, 2)<", ">out (None, 3)<", ">trainable<", ">frozen<"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("answer")));
}

TEST(ToDot, SharedLayersHaveOneBoxAndSeveralEndsTheirOwn) {
  const Symbol a = Input({.shape = {5, 2}, .name = "a"}), b = Input({.shape = {3, 2}, .name = "b"});
  const GRU shared(4, {.return_state = true, .name = "shared"});
  const auto [ya, ha] = shared(a).unpack<2>();
  const auto [yb, hb] = shared(b).unpack<2>();
  const Model model({.inputs = {a, b}, .outputs = {Add()({ya, yb}), Concatenate()({ha, hb})}});
  const std::string text = to_dot(model, {.show_shapes = true});
  EXPECT_EQ(count(text, "<b>shared</b>"), 1U);
  EXPECT_EQ(count(text, " [label="), 5U) << text;
  // Two into the shared layer, and from it one to each of the others.
  EXPECT_EQ(count(text, " -> "), 4U) << text;
  EXPECT_THAT(text, HasSubstr(">in (None, 5, 2) and (None, 3, 2)<"));
  EXPECT_THAT(text, HasSubstr(">out [(None, 4), (None, 4)]<"));
}

TEST(ToDot, GivenMasksAreDashed) {
  const Symbol x = Input({.shape = {5, 2}}), mask = Input({.shape = {5}});
  const Symbol y = SimpleRNN(3).connect(x, mask);
  const std::string text = to_dot(Model({.inputs = {x, mask}, .outputs = {y}}));
  EXPECT_EQ(count(text, " [style=dashed]"), 1U) << text;
}

TEST(ToDot, ModelsWithinModels) {
  const Sequential inner({InputLayer({.shape = {5, 2}}), GRU(3), Dense(2)}, "encoder");
  const Symbol x = Input({.shape = {5, 2}});
  const Model model({.inputs = {x}, .outputs = {Dense(1, {.name = "top"})(inner(x))}});
  const std::string closed = to_dot(model);
  EXPECT_EQ(count(closed, " [label="), 3U);
  EXPECT_THAT(closed, Not(HasSubstr("cluster")));
  const std::string open = to_dot(model, {.expand_nested = true});
  EXPECT_EQ(count(open, "subgraph cluster_"), 1U);
  EXPECT_THAT(open, HasSubstr("label=\"encoder\""));
  EXPECT_EQ(count(open, " [label="), 4U) << open;
  EXPECT_EQ(count(open, " -> "), 3U) << open;
}

TEST(ToDot, NamesAreNoMarkup) {
  const Sequential model({InputLayer({.shape = {2}}), Dense(1, {.name = "a<b>&\"c\"\n\\"})},
                         "quote \" and \\");
  const std::string text = to_dot(model);
  EXPECT_THAT(text, HasSubstr("digraph \"quote \\\" and \\\\\" {"));
  EXPECT_THAT(text, HasSubstr("<b>a&lt;b&gt;&amp;&quot;c&quot; \\</b>"));
}

TEST(ToDot, Refusals) {
  EXPECT_EQ(refused([] { to_dot(small(), {.rankdir = "up"}); }),
            "plot_model: no such rankdir\n  got    \"up\"\n  want   TB, BT, LR or RL");
  EXPECT_EQ(refused([] { to_dot(small(), {.dpi = 0}); }),
            "plot_model: dpi is out of range\n  got    0\n  want   10 to 2400");
  EXPECT_EQ(refused([] { to_dot(Sequential({Dense(1)})); }),
            "the model \"sequential\" is not built yet\n"
            "hint: start it with InputLayer({.shape = ...}), call build, or fit it");
}

class PlotModel : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("unroll-plot-model-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  static std::string bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(PlotModel, WritesItsLanguageWithoutGraphviz) {
  plot_model(small(), path("m.dot"));
  EXPECT_EQ(bytes(path("m.dot")), to_dot(small()));
}

TEST_F(PlotModel, DrawsWhatGraphvizCanDraw) {
  if (std::system("dot -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "graphviz is not installed";
  const PlotModelOptions all{.show_shapes = true,
                             .expand_nested = true,
                             .show_layer_activations = true,
                             .show_trainable = true};
  const Sequential odd({InputLayer({.shape = {2}}), Dense(1, {.name = "a<b>&\"c\"\\"})});
  plot_model(odd, path("m.svg"), all);
  EXPECT_THAT(bytes(path("m.svg")), HasSubstr("a&lt;b&gt;&amp;&quot;c&quot;"));
  plot_model(small(), path("m.png"), all);
  EXPECT_TRUE(bytes(path("m.png")).starts_with("\x89PNG"));
  plot_model(small(), path("m.pdf"), all);
  EXPECT_TRUE(bytes(path("m.pdf")).starts_with("%PDF"));
}

/// What plot_model says where PATH has this alone.
std::string without_graphviz(const std::string& path, const std::string& picture) {
  const char* known = std::getenv("PATH");
  const std::string before = known == nullptr ? "" : known;
  ::setenv("PATH", path.c_str(), 1);
  const std::string said = refused([&] { plot_model(small(), picture); });
  ::setenv("PATH", before.c_str(), 1);
  return said;
}

TEST_F(PlotModel, Refusals) {
  EXPECT_EQ(without_graphviz(folder_.string(), path("m.svg")),
            "a picture of a model needs Graphviz, which is not installed\n"
            "hint: apt-get install graphviz, or write a .dot file");
  std::ofstream(path("dot")) << "#!/bin/sh\necho 'not today' >&2\nexit 3\n";
  std::filesystem::permissions(path("dot"), std::filesystem::perms::owner_all);
  EXPECT_EQ(without_graphviz(folder_.string(), path("m.svg")), "dot failed\n  got    not today");
  EXPECT_EQ(refused([] { plot_model(small(), "m.gif"); }),
            "m.gif: no such kind of picture\n"
            "  want   a path that ends in .svg, .png, .pdf or .dot");
  EXPECT_EQ(refused([] { plot_model(small(), "no/such/m.dot"); }),
            "no/such/m.dot: cannot be written\n"
            "  got    no such file or directory\n"
            "hint: make its folder first");
}

}  // namespace
}  // namespace unroll
