#include "unroll/chat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/folder.h"
#include "tests/refused.h"
#include "unroll/error.h"

namespace unroll {
namespace {

TEST(Dialogues, AreReadFromTsv) {
  const auto found = parse_dialogues("Hi\tHello\tHow are you?\n\nalone\n a \t b \r\n", "x.tsv");
  EXPECT_EQ(found, (std::vector<Dialogue>{{"Hi", "Hello", "How are you?"}, {"a", "b"}}));
}

TEST(Dialogues, AreReadFromYaml) {
  const char* const text =
      "categories:\n- greetings\nconversations:\n- - Hello\n  - Hi\n- - How are you?\n  - |\n"
      "    Fine,\n    and you?\n  - Fine.\n- - nobody answers\n- - 1\n  - 2\n";
  EXPECT_EQ(parse_dialogues(text, "x.yml"),
            (std::vector<Dialogue>{
                {"Hello", "Hi"}, {"How are you?", "Fine, and you?", "Fine."}, {"1", "2"}}));
}

TEST(Dialogues, RefuseWhatIsNone) {
  EXPECT_EQ(refused([] { parse_dialogues("one\ntwo\n", "x.tsv"); }),
            "x.tsv: no dialogues\n"
            "  want   at least one of two lines: something said, and what is said to that");
  EXPECT_EQ(refused([] { parse_dialogues("a\tb", "x.txt"); }),
            "x.txt: no kind of dialogues that is known\n"
            "  want   NAME.yml, NAME.yaml or NAME.tsv");
  EXPECT_EQ(refused([] { parse_dialogues("conversations: 3", "x.yml"); }),
            "x.yml: no conversations\n"
            "  want   a map with a list \"conversations\" of lists of texts");
  EXPECT_EQ(refused([] { parse_dialogues("a: [b", "x.yml"); }).substr(0, 15), "x.yml: not YAML");
  EXPECT_EQ(refused([] { parse_dialogues("a\xE9\tb", "x.tsv"); }),
            "x.tsv is not UTF-8\n"
            "  got    0xE9 at byte 1, counted from 0\n"
            "  want   UTF-8\n"
            "hint: iconv -f LATIN1 -t UTF-8 converts files");
}

TEST(Dialogues, SurviveDeepYaml) {
  const std::string deep(200'000, '[');
  EXPECT_NE(refused([&] { parse_dialogues("conversations: " + deep, "x.yml"); }), "not refused");
}

TEST(Dialogues, AreThoseOfChatterBot) {
  const char* const folder = std::getenv("UNROLL_DATA_DIR");
  if (folder == nullptr) GTEST_SKIP() << "UNROLL_DATA_DIR is not set";
  const auto found = read_dialogues(std::string(folder) + "/chatterbot-english");
  EXPECT_GT(found.size(), 600U);
  EXPECT_TRUE(std::ranges::all_of(found, [](const Dialogue& d) { return d.size() >= 2; }));
}

TEST(ChatData, GivesEachLineWithTheExchangeBeforeIt) {
  EXPECT_EQ(in_context({}, "q"), "q");
  EXPECT_EQ(in_context({"a", "b", "c"}, "q"), "b\nc\nq");
  std::vector<Dialogue> dialogues;
  for (int i = 0; i < 10; ++i) {
    const std::string n = std::to_string(i);
    dialogues.push_back({"a" + n, "b" + n, "c" + n});
  }
  const TranslationData data = chat_data(dialogues, 3);
  // Of each dialogue a -> b, then b -> c with a before it and without.
  EXPECT_EQ(data.test.source.size(), 3U);
  EXPECT_EQ(data.validation.source.size(), 3U);
  EXPECT_EQ(data.train.source.size(), 24U);
  const std::string n = data.train.source[0].substr(1);
  EXPECT_EQ(data.train.source[1], "a" + n + "\nb" + n);
  EXPECT_EQ(data.train.source[2], "b" + n);
  EXPECT_EQ(data.train.target[1], "c" + n);
  EXPECT_EQ(chat_data(dialogues, 3).test.source, data.test.source);
  EXPECT_NE(chat_data(dialogues, 4).train.source, data.train.source);
  EXPECT_EQ(refused([] {
              chat_data({{"a", "b"}}, 1);
            }),
            "chat: too few dialogues\n"
            "  got    1\n"
            "  want   at least 3: to learn from, to validate, to test");
}

TEST(Conversation, KnowsWhatWasSaidBefore) {
  // The answer to "and then?" depends on the exchange before it alone.
  std::vector<Dialogue> dialogues;
  for (int i = 0; i < 40; ++i) {
    dialogues.push_back({"red ?", "a rose .", "and then ?", "a thorn ."});
    dialogues.push_back({"blue ?", "the sea .", "and then ?", "the sky ."});
  }
  const Translated done = train_translator(
      chat_data(dialogues, 1),
      {.tokens = "words",
       .vocabulary = 0,
       .min_count = 1,
       .model = {.units = 24, .embedding = 24, .dropout = 0},
       .training = {.batch_size = 16, .epochs = 12, .learning_rate = 0.02, .label_smoothing = 0},
       .monitor = "val_loss"});
  Conversation talk(done.translator);
  EXPECT_EQ(talk.answer("red ?"), "a rose .");
  EXPECT_EQ(talk.answer("and then ?"), "a thorn .");
  talk.reset();
  EXPECT_EQ(talk.answer("blue ?"), "the sea .");
  EXPECT_EQ(talk.answer("and then ?"), "the sky .");
  EXPECT_EQ(talk.lines().size(), 4U);
  EXPECT_EQ(refused([&] { talk.answer("  "); }),
            "nothing was said\n"
            "  want   a line with a word");
}

}  // namespace
}  // namespace unroll
