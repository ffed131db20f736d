/* Paths and addresses, with their results, of recordings of kind `files`. */
