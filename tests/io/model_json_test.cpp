#include "unroll/model_json.h"

#include <gtest/gtest.h>

#include <functional>

#include "src/io/json.h"
#include "tests/refused.h"
#include "unroll/error.h"
#include "unroll/layer_list.h"
#include "unroll/layers.h"
#include "unroll/newer_cells.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

using io::Json;

Sequential small() {
  return Sequential(
      {InputLayer({.shape = {5, 2}}), SimpleRNN(3, {.activation = "relu"}), Dense(1)});
}

Tensor numbers(const Shape& shape) {
  Tensor result(shape);
  for (Index i = 0; i < result.elements(); ++i) {
    result.floats()[i] = static_cast<float>((i * 37) % 23) / 23 - 0.4F;
  }
  return result;
}

/// Reads what is written of the model, and expects the same text, table and numbers of it.
Model round_trip(Model model, const Tensors& x) {
  const std::string text = to_json(model);
  Model again = model_from_json(text);
  EXPECT_EQ(to_json(again), text);
  EXPECT_EQ(again.summary(), model.summary());
  again.set_weights(model.get_weights());
  const Tensors before = model.predict(x), after = again.predict(x);
  EXPECT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].shape(), after[i].shape());
    for (Index k = 0; k < before[i].elements(); ++k) {
      EXPECT_EQ(before[i].floats()[k], after[i].floats()[k]);
    }
  }
  return again;
}

TEST(ModelJson, SharedLayersSeveralEndsAndMasks) {
  const Symbol a = Input({.shape = {5, 2}, .name = "a"}), b = Input({.shape = {5, 2}, .name = "b"});
  const Symbol keep = Input({.shape = {5}, .name = "keep"});
  const GRU shared(4, {.return_sequences = true, .return_state = true, .name = "shared"});
  const auto [ya, ha] = shared.connect(a, keep).unpack<2>();
  const auto [yb, hb] = shared(b, {ha}).unpack<2>();
  const Symbol joined = Concatenate()({ya[{all, -1, all}], yb[{all, -1, range(1, 3)}]});
  const Model model(
      {.inputs = {a, b, keep}, .outputs = {Dense(2)(joined), Add()({ha, hb})}, .name = "pair"});
  Tensor mask = numbers({3, 5});
  for (Index i = 0; i < mask.elements(); ++i) mask.floats()[i] = i % 4 == 0 ? 0.F : 1.F;
  const Model again = round_trip(model, {numbers({3, 5, 2}), numbers({3, 5, 2}), mask});
  EXPECT_EQ(again.name(), "pair");
  EXPECT_EQ(again.get_layer("shared").output().node()->shapes.size(), 2U);
}

TEST(ModelJson, ModelsWithinModelsAndLayersInBoth) {
  const Dense both(3, {.name = "both"});
  const Symbol inside = Input({.shape = {4}});
  const Model inner({.inputs = {inside}, .outputs = {both(Dense(4)(inside))}, .name = "inner"});
  const Sequential chain({InputLayer({.shape = {3}}), Dense(4), Dense(4)}, "chain");
  const Symbol x = Input({.shape = {4}});
  const Symbol y = both(chain(inner(x)));
  const Model model({.inputs = {x}, .outputs = {y, inner(chain(y))}});
  const Model again = round_trip(model, numbers({3, 4}));
  EXPECT_EQ(again.count_params(), model.count_params()) << "one layer, not two";
}

TEST(ModelJson, AModelBehindALayerBeginsWithAnInput) {
  const Symbol x = Input({.shape = {5, 2}});
  const Symbol h = GRU(4, {.name = "gru"})(x);
  const Model tail({.inputs = {h}, .outputs = {Dense(1)(h)}, .name = "tail"});
  const Model again = model_from_json(to_json(tail));
  EXPECT_EQ(again.inputs()[0].node()->layer->name, "gru_input");
  EXPECT_EQ(again.count_params(), 5);
}

TEST(ModelJson, ASequentialThatIsNotBuiltStaysSo) {
  const Model again = model_from_json(to_json(Sequential({SimpleRNN(3), Dense(1)})));
  EXPECT_FALSE(again.built());
  EXPECT_EQ(again.layers().size(), 2U);
  EXPECT_EQ(again.layers()[0].name(), "simple_rnn");
}

TEST(ModelJson, FrozenBeforeItIsBuiltAndAfter) {
  Sequential model({SimpleRNN(3), BatchNormalization({.center = false, .scale = false}), Dense(1)});
  for (const int i : {0, 1}) model.layers()[static_cast<std::size_t>(i)].set_trainable(false);
  const Model unbuilt = model_from_json(to_json(model));
  model.build({unknown, 5, 2});
  for (const Model& again : {unbuilt, model_from_json(to_json(model))}) {
    EXPECT_FALSE(again.layers()[0].impl().trainable());
    EXPECT_FALSE(again.layers()[1].impl().trainable());
    EXPECT_TRUE(again.layers()[2].impl().trainable());
  }
}

TEST(ModelJson, Keras2) {
  // As tf.keras 2 wrote it: nested lists, precisions by name, the input's shape in the first layer.
  const Model chain = model_from_json(R"({"class_name": "Sequential", "config": {
    "name": "old", "layers": [
      {"class_name": "LSTM", "config": {"name": "lstm", "trainable": true, "dtype": "float32",
        "batch_input_shape": [null, 7, 2], "return_sequences": false, "units": 3,
        "activation": "tanh", "kernel_initializer": {"class_name": "GlorotUniform",
        "config": {"seed": null}}, "time_major": false, "implementation": 2}},
      {"class_name": "LeakyReLU", "config": {"name": "leaky", "alpha": 0.25}}]},
    "keras_version": "2.15.0", "backend": "tensorflow"})");
  EXPECT_EQ(chain.count_params(), 4 * 3 * (3 + 2 + 1));
  EXPECT_NE(to_json(chain).find("\"negative_slope\":0.25"), std::string::npos);

  const Model graph = model_from_json(R"({"class_name": "Functional", "config": {
    "name": "old", "layers": [
      {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
       "config": {"batch_input_shape": [null, 7, 2], "dtype": "float32", "name": "x"}},
      {"class_name": "GRU", "name": "enc", "inbound_nodes": [[["x", 0, 0, {}]]],
       "config": {"name": "enc", "units": 3, "return_state": true}},
      {"class_name": "GRU", "name": "dec", "config": {"name": "dec", "units": 3},
       "inbound_nodes": [[["x", 0, 0, {"initial_state": [["enc", 0, 1]]}]]]}],
    "input_layers": [["x", 0, 0]], "output_layers": [["dec", 0, 0]]}})");
  EXPECT_EQ(graph.get_layer("dec").output().node()->inputs.size(), 2U);
}

// --- clone_model ---

TEST(CloneModel, HasItsOwnWeights) {
  Sequential model = small();
  model.layers()[0].set_trainable(false);
  const std::vector<Tensor> before = model.get_weights();
  Model copy = clone_model(model);
  EXPECT_EQ(copy.summary(), model.summary());
  EXPECT_EQ(copy.count_trainable(), model.count_trainable());
  Tensor ones(before[0].shape());
  for (Index i = 0; i < ones.elements(); ++i) ones.floats()[i] = 1;
  std::vector<Tensor> changed = before;
  changed[0] = ones;
  copy.set_weights(changed);
  EXPECT_EQ(model.get_weights()[0].floats()[0], before[0].floats()[0]);
  EXPECT_THROW(copy.fit(numbers({4, 5, 2}), numbers({4, 1})), Error) << "not compiled";
}

TEST(CloneModel, CarriesOnNoStates) {
  const Symbol tick = Input({.shape = {1, 1}, .batch_size = 1});
  Model model({.inputs = {tick}, .outputs = {SimpleRNN(2, {.stateful = true})(tick)}});
  static_cast<void>(model.predict(numbers({1, 1, 1})));
  Model copy = clone_model(model);
  copy.set_weights(model.get_weights());
  model.reset_states();
  const Tensor a = model.predict(numbers({1, 1, 1}))[0], b = copy.predict(numbers({1, 1, 1}))[0];
  EXPECT_EQ(a.floats()[0], b.floats()[0]);
}

TEST(CloneModel, OfAUsersOwnLayerIsRefused) {
  class Twice : public LayerImpl {
   public:
    std::string_view class_name() const override { return "Twice"; }
    std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
      return {inputs[0]};
    }
    Vars call(Call&, const Vars& inputs) override { return {inputs[0] + inputs[0]}; }
  };
  const Sequential model({InputLayer({.shape = {2}}), Layer(std::make_shared<Twice>())});
  EXPECT_EQ(refused([&] { clone_model(model); }),
            "no description of your own class Twice\n"
            "hint: a file or copy holds unroll's layers and cells only; keep the weights by "
            "get_weights(), and make the model again in your program");
}

// --- refusals ---

std::string said(const std::function<void(Json&)>& change, const Model& model = small()) {
  Json object = *Json::parse(to_json(model));
  change(object);
  return refused([&] { model_from_json(object.dump()); });
}

Json& layer(Json& model, std::size_t i) { return model["config"]["layers"][i]; }

TEST(BadModelJson, UnchangedIsGood) {
  EXPECT_EQ(said([](Json&) {}), "not refused");
}

TEST(BadModelJson, Text) {
  EXPECT_EQ(refused([] { model_from_json("{\"class_name\": Dense}"); }),
            "a model's description that is no JSON\n  got    a mistake at byte 16");
  EXPECT_EQ(refused([] { model_from_json("[]"); }), "not an object\n  got    a list of 0");
  EXPECT_EQ(refused([] { model_from_json("{}"); }),
            "\"class_name\" is missing\n  got    an object");
}

TEST(BadModelJson, WhatIsNotUnderstood) {
  EXPECT_EQ(said([](Json& m) { m["class_name"] = "MyModel"; }),
            "no such model, at /class_name\n"
            "  got    \"MyModel\"\n"
            "  want   Sequential or Functional\n"
            "hint: a class of your own has no description");
  EXPECT_EQ(said([](Json& m) { m["sparkle"] = 1; }), "not known, at /sparkle\n  got    1");
  EXPECT_EQ(said([](Json& m) { layer(m, 1)["config"]["shiny"] = true; }),
            "no such option of SimpleRNN, at /config/layers/1/config/shiny\n  got    true");
  EXPECT_EQ(said([](Json& m) { layer(m, 1)["config"]["a/b~"] = 1; }),
            "no such option of SimpleRNN, at /config/layers/1/config/a~1b~0\n  got    1");
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["config"]["lora_rank"] = 4; }),
            "an option of Keras that unroll does not have, at /config/layers/2/config/lora_rank\n"
            "  got    4\n"
            "  want   null");
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["class_name"] = "Sparkle"; }),
            "no such layer, at /config/layers/2/class_name\n"
            "  got    \"Sparkle\"\n"
            "hint: unroll help layers lists what there is");
}

TEST(BadModelJson, Values) {
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["config"]["units"] = -1; }),
            "out of range, at /config/layers/2/config/units\n  got    -1\n  want   1 or more");
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["config"]["units"] = "many"; }),
            "not a whole number below 2^31, at /config/layers/2/config/units\n"
            "  got    \"many\"");
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["config"].erase("units"); }),
            "\"units\" of Dense is missing, at /config/layers/2/config\n  got    no such option");
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["config"]["use_bias"] = 1; }),
            "neither true nor false, at /config/layers/2/config/use_bias\n  got    1");
  EXPECT_TRUE(said([](Json& m) {
                layer(m, 2)["config"]["activation"] = "rleu";
              }).starts_with("no activation has this name"));
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["config"]["dtype"] = "mixed_float16"; }),
            "a precision that models do not compute in, at /config/layers/2/config/dtype\n"
            "  got    \"mixed_float16\"\n"
            "  want   \"float32\" or \"float64\"\n"
            "hint: in Keras: keras.config.set_dtype_policy(\"float32\"), then build and save the "
            "model again");
  EXPECT_EQ(said([](Json& m) { layer(m, 2)["config"]["dtype"] = "float64"; }),
            "layers of several precisions, at /config/layers/2/config/dtype\n"
            "  got    float64\n"
            "  want   float32, as the layers before");
}

TEST(BadModelJson, AbsurdSizes) {
  EXPECT_EQ(said([](Json& m) { layer(m, 1)["config"]["units"] = 2'000'000'000; }),
            "layer \"simple_rnn\" needs more weights than there may be, at /config/layers/1\n"
            "  got    4e+18 numbers or more\n"
            "  want   at most 268435456 in all layers");
  const std::string text = to_json(small());
  EXPECT_EQ(refused([&] { model_from_json(text, {.most_weights = 20}); }),
            "layer \"dense\" needs more weights than there may be, at /config/layers/2\n"
            "  got    3 numbers or more\n"
            "  want   at most 20 in all layers");
}

TEST(BadModelJson, SizesOfNewerCells) {
  const auto said_of = [](const std::string& from, const std::string& to, const Layer& layer) {
    const Symbol x = Input({.shape = {5, 2}});
    std::string text = to_json(Model({.inputs = {x}, .outputs = {layer(x)}}));
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << text;
    return refused([&] { model_from_json(text.replace(at, from.size(), to)); });
  };
  EXPECT_EQ(said_of("\"window\":2", "\"window\":0", QRNN(3)).substr(0, 14), "out of range, ");
  EXPECT_NE(said_of("\"state_size\":7", "\"state_size\":2000000000", LRU(3, {.state_size = 7}))
                .find("needs more weights than there may be"),
            std::string::npos);
  EXPECT_NE(said_of("\"connectivity\":0.1", "\"connectivity\":1.5", ESN(3))
                .find("ESN: connectivity is not a share"),
            std::string::npos);
  // Wide ones without a matrix in their recurrence are no absurd ones.
  EXPECT_EQ(said_of("\"units\":3", "\"units\":100000", MinGRU(3)), "not refused");
}

Model functional() {
  const Symbol x = Input({.shape = {5, 2}, .name = "x"});
  return Model({.inputs = {x}, .outputs = {Dense(1)(SimpleRNN(3)(x))}});
}

TEST(BadModelJson, Connections) {
  const auto input = [](Json& m, std::size_t i) -> Json& {
    return layer(m, i)["inbound_nodes"][0]["args"][0]["config"]["keras_history"];
  };
  const std::string at = "/config/layers/2/inbound_nodes/0";
  EXPECT_EQ(said([&](Json& m) { input(m, 2)[0] = "nobody"; }, functional()),
            "no such layer, at " + at + "/args/0\n  got    \"nobody\"");
  EXPECT_EQ(said([&](Json& m) { input(m, 2)[0] = "dense"; }, functional()),
            "a call whose inputs are never made, at " + at +
                "\n  got    an object\n  want   outputs of calls that do not wait for it");
  EXPECT_EQ(said([&](Json& m) { input(m, 2)[2] = 1; }, functional()),
            "no such output of the layer, at " + at +
                "/args/0\n  got    an object of class \"__keras_tensor__\"");
  EXPECT_EQ(
      said([&](Json& m) { layer(m, 2)["inbound_nodes"][0]["kwargs"]["training"] = true; },
           functional()),
      "an argument that Dense does not take here, at " + at + "/kwargs/training\n  got    true");
  EXPECT_EQ(said([&](Json& m) { layer(m, 2)["name"] = "x"; }, functional()),
            "a second layer of this name, at /config/layers/2/name\n  got    \"x\"");
  EXPECT_EQ(said([&](Json& m) { m["config"]["input_layers"][0] = "dense"; }, functional()),
            "an input that is no InputLayer, at /config/input_layers\n  got    a list of 3");
}

// --- the list of layers ---

TEST(LayerList, OptionsAndDefaults) {
  EXPECT_EQ(signature("Dropout").substr(0, 12), "Dropout(rate");
  EXPECT_EQ(signature("LeakyReLU"), "LeakyReLU(negative_slope = 0.3)");
  EXPECT_EQ(signature("ReLU"), "ReLU(max_value = null, negative_slope = 0.0, threshold = 0.0)");
  EXPECT_EQ(options_of("LSTM")[0].name, "units");
  EXPECT_EQ(options_of("LSTM")[0].value, "");
  EXPECT_EQ(options_of("LSTM")[1].value, "\"tanh\"");
  for (const std::string& name : layer_names()) EXPECT_NO_THROW(signature(name)) << name;
  for (const std::string& name : cell_names()) EXPECT_NO_THROW(signature(name)) << name;
  EXPECT_TRUE(refused([] { options_of("Sparkle"); }).starts_with("no such layer\n  got    "));
}

}  // namespace
}  // namespace unroll
