// The messages between kernel and browser; the kernel's half is `protocol.py`, and a test compares the two.
// Types only, so nothing of this file is sent to a browser. Members in brackets may be missing.
export {};

// --- From the kernel: the transcript of a panel ---

/** @typedef {"waiting" | "streaming" | "complete" | "truncated" | "interrupted" | "failed"} State */
/** @typedef {"reasoning" | "text"} Kind */
/** @typedef {[Kind, string]} Part A finished block of a reply, as safe HTML. */

/**
 * The blocks still being written, as safe HTML.
 * @typedef {object} OpenBlocks
 * @property {string} reasoning
 * @property {string} text
 */

/**
 * An image of a prompt: a label, and its thumbnail as a `data:` image or "".
 * @typedef {object} Picture
 * @property {string} label
 * @property {string} data
 */

/**
 * A running turn, with its parts after the first `from`.
 * @typedef {object} PartMessage
 * @property {"part"} type
 * @property {number} sequence
 * @property {number} version
 * @property {string} turn
 * @property {number} from
 * @property {Part[]} parts
 * @property {OpenBlocks} open
 * @property {string} note
 * @property {State} state
 */

/**
 * A turn without its first `from` parts; `source`, `error` and `facts` come with its end.
 * `prompt` is what was sent, and `typed` what was written if that is something else, else "".
 * A queued one is a prompt that waits for the end of another reply.
 * @typedef {object} ShownTurn
 * @property {string} id
 * @property {number} from
 * @property {string} prompt
 * @property {string} typed
 * @property {Picture[]} images
 * @property {Part[]} parts
 * @property {OpenBlocks} open
 * @property {string} note
 * @property {State | "queued"} state
 * @property {boolean} ended
 * @property {string} error
 * @property {string} source
 * @property {string[]} facts
 */

/**
 * Which turns there are, and some of them; in reply to `Resync` also answers that were lost.
 * `versions` says of turns at which branches part which version of how many is shown.
 * @typedef {object} TurnsMessage
 * @property {"turns"} type
 * @property {number} sequence
 * @property {number} version
 * @property {string[]} order
 * @property {Record<string, [number, number]>} versions
 * @property {ShownTurn[]} turns
 * @property {Record<string, Answer>} [answered]
 */

// --- From the kernel: answers ---

/** @typedef {string[]} ModelEntry Id, note, and the label if it differs from the id. */

/**
 * A file for the browser to save.
 * @typedef {object} ExportedFile
 * @property {string} name
 * @property {string} type
 * @property {string} text
 */

/**
 * What an expression stands for: type and size, or why it has no value; both are "" if it is only text.
 * @typedef {object} Described
 * @property {string} about
 * @property {string} problem
 */

/**
 * What can be put into a prompt: the variables with type and size, the cells with how they begin.
 * @typedef {object} Offered
 * @property {[string, string][]} variables
 * @property {[number, string][]} cells
 */

/**
 * The result of an operation; empty if it has none.
 * `prompt` is one that was undone, a `question` is to be asked before it is done, `providers` are as in `SelectorState`.
 * @typedef {object} Answer
 * @property {string} [error]
 * @property {string} [note]
 * @property {string} [prompt]
 * @property {string} [question]
 * @property {ExportedFile} [file]
 * @property {ModelEntry[]} [entries]
 * @property {string[][]} [providers]
 * @property {Described[]} [described]
 * @property {Offered} [offered]
 */

/**
 * The answer to one request.
 * @typedef {object} AnswerMessage
 * @property {"answer"} type
 * @property {string} request
 * @property {string} [error]
 * @property {string} [note]
 * @property {string} [prompt]
 * @property {string} [question]
 * @property {ExportedFile} [file]
 * @property {ModelEntry[]} [entries]
 * @property {string[][]} [providers]
 * @property {Described[]} [described]
 * @property {Offered} [offered]
 */

/**
 * An operation that waits for an endpoint has begun, so the kernel is not busy.
 * @typedef {object} TakenMessage
 * @property {"taken"} type
 * @property {string} request
 */

/**
 * A selector's answer to `Resync`: the lost answers, by request.
 * @typedef {object} AnsweredMessage
 * @property {Record<string, Answer>} answered
 */

// --- From the kernel: what the widgets' traits hold ---

/**
 * Limits for the files of one prompt: the types of images, the bytes of each file, and their number.
 * @typedef {object} Limits
 * @property {string[]} types
 * @property {number} each
 * @property {number} files
 */

/**
 * What never changes: the conversation's name, what to call operations while they are queued, and suggestions.
 * @typedef {object} PanelAbout
 * @property {string} name
 * @property {Limits} limits
 * @property {Record<string, string>} operations
 * @property {string[]} suggestions
 */

/**
 * The settings for the next turn, what is shown of the endpoint, and what an empty panel may resume; `provider` is ""
 * for the cells' endpoint.
 * @typedef {object} Settings
 * @property {string} model
 * @property {string} model_label
 * @property {string} provider
 * @property {string} endpoint
 * @property {boolean} shared
 * @property {string} system
 * @property {number | null} temperature
 * @property {number | null} max_tokens
 * @property {boolean} ready
 * @property {string} hint
 * @property {string} resume
 */

/**
 * What to call operations while they are queued.
 * @typedef {object} SelectorAbout
 * @property {Record<string, string>} operations
 */

/**
 * Everything that a selector shows.
 *
 * `providers` are names with labels, `model` is the one to mark, `hint` says what to do if none is listed, `asking`
 * is the address that is being asked for its models.
 * @typedef {object} SelectorState
 * @property {string[][]} providers
 * @property {string} provider
 * @property {ModelEntry[]} entries
 * @property {string} model
 * @property {string} using
 * @property {string} hint
 * @property {string} problem
 * @property {string} asking
 * @property {string} pattern
 */

// --- From a browser ---

/** @typedef {"ended" | number} Known How much of a turn a view has: all of it, or a number of parts. */

/**
 * A view of a panel was opened in a page, which has another name each time that it is loaded.
 * @typedef {object} Hello
 * @property {"hello"} op
 * @property {string} [view]
 * @property {string} [page]
 */

/**
 * A view of a panel was closed; `leaving` if its page was, which may be reloading.
 * @typedef {object} Bye
 * @property {"bye"} op
 * @property {string} [view]
 * @property {boolean} [leaving]
 */

/**
 * A view may have missed something: how much of each turn it has, and which requests await an answer.
 * @typedef {object} Resync
 * @property {"resync"} op
 * @property {Record<string, Known>} [known]
 * @property {string[]} [waiting]
 */

/**
 * A typed `{{source}}`, and the code point of the prompt at which its braces begin.
 * @typedef {object} Chip
 * @property {string} source
 * @property {number} at
 */

/**
 * A file of a prompt: the id by which it came, its name, and for an image a thumbnail as a `data:` image or "".
 * @typedef {object} SentFile
 * @property {string} id
 * @property {string} name
 * @property {string} thumbnail
 */

/**
 * A file for the prompt that follows, as the only buffer: each comes alone, since large messages end connections.
 * @typedef {object} Attach
 * @property {"attach"} op
 * @property {string} [file]
 */

/**
 * Send a prompt, with files that came before; `replaces` is the turn of which it is an edited form.
 * Of the text only the `chips` are expanded: what looks like one elsewhere was not typed. `cells` are the numbers of
 * cells to send with it.
 * It is queued while a reply is written.
 * @typedef {object} Ask
 * @property {"ask"} op
 * @property {string} [request]
 * @property {string} [text]
 * @property {Chip[]} [chips]
 * @property {number[]} [cells]
 * @property {SentFile[]} [files]
 * @property {string | null} [replaces]
 */

/**
 * Remove all turns.
 * @typedef {object} Clear
 * @property {"clear"} op
 * @property {string} [request]
 */

/**
 * Remove a turn, or a prompt that is queued.
 * @typedef {object} Delete
 * @property {"delete"} op
 * @property {string} [request]
 * @property {string} [turn]
 */

/**
 * Say of typed expressions what they stand for.
 * @typedef {object} Describe
 * @property {"describe"} op
 * @property {string} [request]
 * @property {string[]} [sources]
 */

/**
 * Export the conversation as a file.
 * @typedef {object} Export
 * @property {"export"} op
 * @property {string} [request]
 * @property {"md" | "ipynb" | "json"} [format]
 */

/**
 * List the endpoint's models, and the providers; `refresh` fetches the models again.
 * @typedef {object} ListModels
 * @property {"models"} op
 * @property {string} [request]
 * @property {boolean} [refresh]
 */

/**
 * List the variables and the cells of the notebook.
 * @typedef {object} Offer
 * @property {"offer"} op
 * @property {string} [request]
 */

/**
 * Send the prompt of a turn again.
 * @typedef {object} Regenerate
 * @property {"regenerate"} op
 * @property {string} [request]
 * @property {string} [turn]
 */

/**
 * Go on with the conversation as the log has it; `agreed` is the question that the user said yes to.
 * @typedef {object} Resume
 * @property {"resume"} op
 * @property {string} [request]
 * @property {string} [agreed]
 */

/**
 * Change settings, given as typed; a missing one stays as it is.
 * @typedef {object} SetSettings
 * @property {"set"} op
 * @property {string} [request]
 * @property {string | null} [provider]
 * @property {string | null} [model]
 * @property {string | null} [system]
 * @property {string | null} [temperature]
 * @property {string | null} [max_tokens]
 */

/**
 * Show another version of a turn, counted from 1, with what followed it.
 * @typedef {object} Show
 * @property {"show"} op
 * @property {string} [request]
 * @property {string} [turn]
 * @property {number} [version]
 */

/**
 * Stop the running reply.
 * @typedef {object} Stop
 * @property {"stop"} op
 * @property {string} [request]
 */

/**
 * Undo the last change of the turns.
 * @typedef {object} Undo
 * @property {"undo"} op
 * @property {string} [request]
 */

/**
 * List the models of another provider.
 * @typedef {object} ChooseProvider
 * @property {"provider"} op
 * @property {string} [request]
 * @property {string} [name]
 */

/**
 * Ask the endpoint for its models.
 * @typedef {object} Refresh
 * @property {"refresh"} op
 * @property {string} [request]
 */

/**
 * Use a model in this notebook; "" for the provider's default.
 * @typedef {object} Use
 * @property {"use"} op
 * @property {string} [request]
 * @property {string} [model]
 */

/** @typedef {Ask | Clear | Delete | Export | ListModels | Regenerate | Resume | SetSettings | Show | Stop | Undo} PanelAction */
/** @typedef {Describe | Offer} PanelLook What is answered at once, where the user's code runs. */
/** @typedef {PanelAction | PanelLook} PanelOperation */
/** @typedef {ChooseProvider | Refresh | Use} SelectorOperation */
/** @typedef {PanelOperation | Attach | Hello | Bye | Resync} PanelMessage */
/** @typedef {SelectorOperation | Resync} SelectorMessage */
