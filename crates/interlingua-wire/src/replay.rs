//! What of a conversation may go back to which target.
