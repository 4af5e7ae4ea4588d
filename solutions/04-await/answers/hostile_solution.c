/* Includes the solution.
 *
 * answer: wrong
 * says: includes ../../solutions/04-await/exercise.c
 */
#include "../../solutions/04-await/exercise.c"
