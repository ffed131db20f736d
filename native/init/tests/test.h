/* A test is a function; CHECK says where it failed and goes on. */
#ifndef PORIN_TEST_H
#define PORIN_TEST_H

#include <stdbool.h>

void check(bool held, const char *condition, const char *file, int line);

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

void test_answer(void);
void test_base64(void);
void test_control(void);
void test_foreign(void);
void test_ledger(void);
void test_policy(void);
void test_shapes(void);
void test_trace(void);

#endif
